"""What another version of a template means for a unit: in what its effective configuration
differs, and what of its own stands against it.

What all units share that start from the same is compared once; of each is looked at only what it
changes itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from metadata_server.domain.difference import FieldDifference, tree_differences
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
)
from metadata_server.domain.intent.configuration import (
    Narrowing,
    completed,
    driver_trees,
    narrowed,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.refused import WrongField
from metadata_server.domain.tree import Tree, branch_of, labels

Differences = list[FieldDifference]


class RebaseOutcome(StrEnum):
    """What another version of its template means for a unit."""

    UNAFFECTED = "UNAFFECTED"
    CHANGED_DEFAULT = "CHANGED_DEFAULT"
    REMOVED_PARAMETER = "REMOVED_PARAMETER"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True)
class UnitRebase:
    """What it means for one unit.

    Attributes:
        differences: between what it uses and what it would use, sorted by path.
        dropped: what of its own goes, by path.
    """

    id: str
    from_version: int
    outcome: RebaseOutcome
    differences: tuple[FieldDifference, ...] = ()
    dropped: tuple[str, ...] = ()
    is_running: bool = False


class Comparison:
    """Two narrowings, and in what the configurations differ that rest on them."""

    def __init__(self, before: Narrowing, after: Narrowing) -> None:
        self._before, self._after = before, after
        self._of_attributes = self._shared_attributes()
        self._of_parameters = value_differences(before.shared.parameters, after.shared.parameters)
        self._of_drivers = driver_differences(before.shared.drivers, after.shared.drivers)
        self._of_class = class_differences(before, after)
        self._narrowed = narrowable(before) & narrowable(after)
        self._has_removed = bool(before.positions.keys() - after.positions.keys())

    def _shared_attributes(self) -> dict[str, Differences]:
        """Differences of what nobody overrides, by name of the attribute."""
        found = {}
        for name in self._before.positions.keys() | self._after.positions.keys():
            differing = self._differences_of(name, None, None)
            if differing:
                found[name] = differing
        return found

    def _differences_of(
        self, name: str, before: AttributeOverride | None, after: AttributeOverride | None
    ) -> Differences:
        return attribute_differences(
            name, overridden(self._before, name, before), overridden(self._after, name, after)
        )

    def differences(self, before: ControlUnit, after: ControlUnit) -> tuple[FieldDifference, ...]:
        """In what the effective configuration of a unit changes, sorted by path."""
        found = [
            *self._of_class,
            *self._attribute_differences(before, after),
            *self._parameter_differences(before, after),
            *self._driver_differences(before, after),
        ]
        found.sort(key=lambda each: each.path)
        return tuple(found)

    def _attribute_differences(
        self, before: ControlUnit, after: ControlUnit
    ) -> Iterator[FieldDifference]:
        was = {each.attribute: each for each in before.overrides}
        now = {each.attribute: each for each in after.overrides}
        for name, shared in self._of_attributes.items():
            if name not in was:
                yield from shared
            elif name in self._narrowed and now.get(name) == was[name]:
                said = {f"attributes[{name}].{facet}" for facet in was[name].facets}
                yield from (each for each in shared if each.path not in said)
            else:
                yield from self._differences_of(name, was[name], now.get(name))
        for name, override in was.items():
            if name not in self._of_attributes and now.get(name) != override:
                yield from self._differences_of(name, override, now.get(name))

    def _parameter_differences(self, before: ControlUnit, after: ControlUnit) -> Differences:
        if not (before.parameters or after.parameters):
            return self._of_parameters
        return value_differences(
            {**self._before.shared.parameters, **before.parameters},
            {**self._after.shared.parameters, **after.parameters},
        )

    def _driver_differences(self, before: ControlUnit, after: ControlUnit) -> Differences:
        if not (before.drivers or after.drivers):
            return self._of_drivers
        return driver_differences(drivers_of(self._before, before), drivers_of(self._after, after))

    def removes(self, before: ControlUnit, after: ControlUnit) -> bool:
        """Whether an attribute or a parameter is gone that the unit used."""
        parameters = self._after.shared.parameters.keys() | after.parameters.keys()
        used = self._before.shared.parameters.keys() | before.parameters.keys()
        return self._has_removed or bool(used - parameters)


def narrowable(narrowing: Narrowing) -> set[str]:
    """Names of the attributes that overrides change."""
    attributes = narrowing.shared.attributes
    return {each.name for each in attributes if each.direction is not Direction.OUTPUT}


def overridden(
    narrowing: Narrowing, name: str, override: AttributeOverride | None
) -> Attribute | None:
    """An attribute as a unit uses it; None: it has none of that name."""
    position = narrowing.positions.get(name)
    if position is None:
        return None
    attribute = narrowing.shared.attributes[position]
    if override is None or attribute.direction is Direction.OUTPUT:
        return attribute
    return narrowed(attribute, override.facets)


def attribute_differences(
    name: str, before: Attribute | None, after: Attribute | None
) -> Differences:
    if before == after:
        return []
    path = f"attributes[{name}]"
    if before is not None and after is not None:
        found = tree_differences(content_of(before), content_of(after))
        return [FieldDifference(f"{path}.{f.path}", f.before, f.after) for f in found]
    return list(tree_differences(attribute_tree(name, before), attribute_tree(name, after)))


def attribute_tree(name: str, attribute: Attribute | None) -> Tree:
    return {} if attribute is None else {"attributes": {name: content_of(attribute)}}


def content_of(attribute: Attribute) -> Tree:
    return branch_of(attribute, without={"name"})


def value_differences(before: Mapping[str, str], after: Mapping[str, str]) -> Differences:
    return [
        FieldDifference(f"parameters[{name}]", before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def drivers_of(narrowing: Narrowing, unit: ControlUnit) -> tuple[Driver, ...]:
    if not unit.drivers:
        return narrowing.shared.drivers
    return tuple(completed(each, narrowing.template) for each in unit.drivers)


def driver_differences(before: Sequence[Driver], after: Sequence[Driver]) -> Differences:
    if before == after:
        return []
    return list(tree_differences(driver_tree(before), driver_tree(after)))


def driver_tree(drivers: Iterable[Driver]) -> Tree:
    found = driver_trees(drivers)
    return {"drivers": found} if found else {}


def class_differences(before: Narrowing, after: Narrowing) -> Differences:
    was, now = before.shared.implementation, after.shared.implementation
    return [] if was == now else [FieldDifference("implementation", was, now)]


def without_faults(
    unit: ControlUnit, faults: Iterable[WrongField]
) -> tuple[ControlUnit, tuple[str, ...]]:
    """A unit without what some faults are about, and the paths of what it no longer says;
    a fault about what it does not say is left."""
    facets: dict[int, set[str]] = defaultdict(set)
    drivers, parameters = set(), set()
    for fault in faults:
        collection, place, field = parts_of(fault.field)
        if collection == "overrides":
            facets[int(place)].add(field)
        elif collection == "drivers":
            drivers.add(int(place))
        elif collection == "parameters" and place in unit.parameters:
            parameters.add(place)
    overrides, dropped = without_facets(unit.overrides, facets)
    called = labels([each.name for each in unit.drivers])
    dropped += [f"drivers[{called[place]}]" for place in sorted(drivers)]
    dropped += [f"parameters[{name}]" for name in sorted(parameters)]
    left = replace(
        unit,
        overrides=overrides,
        drivers=tuple(each for n, each in enumerate(unit.drivers) if n not in drivers),
        parameters={n: text for n, text in unit.parameters.items() if n not in parameters},
    )
    return left, tuple(dropped)


def parts_of(path: str) -> tuple[str, str, str]:
    """`overrides[0].minimum` is `overrides`, `0`, `minimum`; names may have brackets."""
    collection, _, rest = path.partition("[")
    place, _, field = rest.rpartition("]")
    return collection, place, field.removeprefix(".")


def without_facets(
    overrides: Sequence[AttributeOverride], facets: Mapping[int, set[str]]
) -> tuple[tuple[AttributeOverride, ...], list[str]]:
    """Overrides without some facets, by their places; `attribute` is all of them."""
    left, dropped = [], []
    for place, override in enumerate(overrides):
        gone = facets.get(place, set())
        kept = {name: text for name, text in override.facets.items() if name not in gone}
        path = f"overrides[{override.attribute}]"
        if "attribute" in gone or (gone and not kept):
            dropped.append(path)
            continue
        dropped += [f"{path}.{name}" for name in override.facets if name in gone]
        left.append(replace(override, facets=kept) if gone else override)
    return tuple(left), dropped
