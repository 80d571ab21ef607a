"""Why a unit shall use what it shall use: for each value the layers that say something of it.

A value stands at a path (`attributes[current].maximum`, `parameters[ramp]`,
`drivers[Serial].version`, `drivers` for their order). What counts, and which layer it comes
from, follows from the rules of `configuration`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from metadata_server.domain.intent.attribute import FACETS, Attribute, Direction, Driver
from metadata_server.domain.intent.configuration import Configuration, base_of, driver_trees
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.tree import Tree, branch_of, labels, leaves

DIMENSIONLESS = frozenset({"unit", "conversion_factor"})
"""Facets that have no physical unit."""
SECTIONS = ("attributes", "drivers", "parameters")


class Layer(StrEnum):
    """Where a value comes from."""

    PUBLISHED_DATASET = "PUBLISHED_DATASET"
    TEMPLATE = "TEMPLATE"
    OVERRIDE = "OVERRIDE"


NARROWED = (Layer.PUBLISHED_DATASET, Layer.TEMPLATE, Layer.OVERRIDE)
CODE_FIRST = (Layer.OVERRIDE, Layer.TEMPLATE, Layer.PUBLISHED_DATASET)
"""Who counts last: people may narrow facets of what goes in; the rest its code knows best."""

Said = dict[str, str]
"""Values by path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who put a value there.

    Attributes:
        source: name of the resource or dataset.
        version: of a template.
        revision: 0: no longer known.
        time_us: 0: not known.
        author: empty: what a process published.
    """

    source: str
    version: int = 0
    revision: int = 0
    time_us: int = 0
    author: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LayerValue:
    """What one layer says of a value."""

    layer: Layer
    value: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedValue:
    """One value of a configuration.

    Attributes:
        unit: physical unit, where it has one.
        layers: all that say something of it, the one that counts last; none: it would only be
            there as planned.
        planned: what it would be, where that is something else.
        is_removed: it would be gone.
    """

    path: str
    value: str
    unit: str = ""
    layers: tuple[LayerValue, ...] = ()
    planned: str | None = None
    is_removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a control unit shall use, and why.

    Attributes:
        planned: fingerprint as planned; empty: nothing is planned.
        reported: fingerprint that the unit last reported.
    """

    id: str
    template: str
    template_version: int
    fingerprint: str
    planned: str = ""
    reported: str = ""
    values: tuple[ExplainedValue, ...] = field(default=())


def explained(
    configuration: Configuration,
    dataset: Sequence[Attribute] | None,
    template: Template,
    unit: ControlUnit,
) -> tuple[ExplainedValue, ...]:
    """All values of a configuration that was merged from these three, with their layers."""
    said = {
        Layer.PUBLISHED_DATASET: flat({"attributes": attribute_trees(dataset or ())}),
        Layer.TEMPLATE: said_by_template(template, unit),
        Layer.OVERRIDE: said_by_unit(unit),
    }
    outputs = {a.name for a in configuration.attributes if a.direction is Direction.OUTPUT}
    found = values_of(configuration)
    units = units_of(configuration, template)
    return tuple(
        ExplainedValue(
            path=path,
            value=value,
            unit=units.get(path, ""),
            layers=tuple(
                LayerValue(layer, said[layer][path])
                for layer in order_of(path, outputs)
                if path in said[layer]
            ),
        )
        for path, value in found.items()
    )


def with_plan(
    values: Iterable[ExplainedValue], planned: Configuration, template: Template
) -> tuple[ExplainedValue, ...]:
    """Values beside what they would be with another configuration.

    Args:
        template: of the other configuration.
    """
    coming = values_of(planned)
    units = units_of(planned, template)
    found = {each.path: changed(each, coming.get(each.path)) for each in values}
    for path in coming.keys() - found.keys():
        found[path] = ExplainedValue(
            path=path, value="", unit=units.get(path, ""), planned=coming[path]
        )
    return tuple(sorted(found.values(), key=lambda each: place_of(each.path)))


def changed(each: ExplainedValue, planned: str | None) -> ExplainedValue:
    if planned is None:
        return replace(each, is_removed=True)
    return each if planned == each.value else replace(each, planned=planned)


def values_of(configuration: Configuration) -> dict[str, str]:
    """All values of a configuration by path: attributes, drivers, parameters, each by name."""
    tree: Tree = {
        "attributes": attribute_trees(configuration.attributes),
        "drivers": driver_trees(configuration.drivers),
        "parameters": dict(configuration.parameters),
    }
    found = flat(tree) | order_told(configuration.drivers)
    return {path: found[path] for path in sorted(found, key=place_of)}


def said_by_template(template: Template, unit: ControlUnit) -> Said:
    """What a template says of values of this unit; of its drivers, those that count for it."""
    drivers = template.drivers
    trees = driver_trees(drivers)
    if unit.drivers:
        bases = [(each, base_of(each, template)) for each in unit.drivers]
        names = labels([each.name for each in unit.drivers])
        trees = {
            name: branch_of(base, without={"name"})
            for name, (_, base) in zip(names, bases, strict=True)
            if base is not None
        }
    tree: Tree = {
        "attributes": attribute_trees(template.attributes),
        "drivers": trees,
        "parameters": {
            each.name: each.facets["default_value"]
            for each in template.parameters
            if "default_value" in each.facets
        },
    }
    return flat(tree) | order_told(drivers)


def said_by_unit(unit: ControlUnit) -> Said:
    """What a unit says itself."""
    tree: Tree = {
        "attributes": {each.attribute: dict(each.facets) for each in unit.overrides},
        "drivers": driver_trees(unit.drivers),
        "parameters": dict(unit.parameters),
    }
    return flat(tree) | order_told(unit.drivers)


def units_of(configuration: Configuration, template: Template) -> dict[str, str]:
    """Physical units by path, of what has one."""
    found = {
        f"attributes[{attribute.name}].{facet}": attribute.facets["unit"]
        for attribute in configuration.attributes
        if "unit" in attribute.facets
        for facet in attribute.facets.keys() - DIMENSIONLESS
    }
    return found | {
        f"parameters[{each.name}]": each.facets["unit"]
        for each in template.parameters
        if "unit" in each.facets
    }


def order_of(path: str, outputs: Iterable[str]) -> tuple[Layer, ...]:
    """The layers in the order in which they come to count for a value."""
    if not path.startswith("attributes["):
        return NARROWED
    name, _, leaf = path.removeprefix("attributes[").rpartition("].")
    return NARROWED if leaf in FACETS and name not in outputs else CODE_FIRST


def place_of(path: str) -> tuple[int, str]:
    """Sorts paths: by section, then by name."""
    section = path.split("[", 1)[0]
    return SECTIONS.index(section), path


def attribute_trees(attributes: Iterable[Attribute]) -> Tree:
    return {each.name: branch_of(each, without={"name"}) for each in attributes}


def order_told(drivers: Sequence[Driver]) -> Said:
    """Which drivers there are, in their order, as a value of its own."""
    if not drivers:
        return {}
    return {"drivers": json.dumps([each.name for each in drivers], ensure_ascii=False)}


def flat(tree: Tree) -> dict[str, str]:
    return dict(leaves({name: inner for name, inner in tree.items() if inner}))
