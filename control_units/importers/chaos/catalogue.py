"""The catalogue of classes: category → class → drivers, attributes, and words about it.

Its values are what the site's pages propose for a new unit, not what existing units run with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mds.v1.driver_pb2 import Driver

from control_units.importers.chaos.attributes import (
    StatedAttribute,
    read_attributes,
    wrong_facets,
)
from control_units.importers.chaos.drivers import read_drivers, rests_of
from control_units.importers.chaos.entries import Entry, entries, is_empty
from control_units.importers.findings import Findings, shown
from control_units.importers.ids import fault_of
from control_units.importers.json_text import Value, write
from control_units.importers.places import member

_SECTIONS = {"drivers", "attrs", "info"}


@dataclass(slots=True)
class CatalogueClass:
    """What the catalogue knows of one class; the first entry of a class counts.

    Attributes:
        group: its category.
        rest: by `category.class`, what the model has no place for.
    """

    place: str
    implementation: str
    description: str
    group: str
    interface: str
    drivers: tuple[Driver, ...]
    attributes: dict[str, StatedAttribute]
    rest: dict[str, Value] = field(default_factory=dict)

    def properties(self, *, is_used: bool) -> dict[str, str]:
        """What a template has no field for, and, of a class that has units, the values that
        the catalogue proposes for new ones."""
        kept = {"cu_catalog": write(self.rest)} if self.rest else {}
        proposals: dict[str, Value] = {
            name: dict(stated.facets) for name, stated in self.attributes.items() if stated.facets
        }
        if is_used and proposals:
            kept["cu_catalog.attrs"] = write(proposals)
        return kept


def is_catalogue(value: Value) -> bool:
    """Whether a whole file is a catalogue by itself."""
    if not isinstance(value, dict) or not value:
        return False
    classes = [inner for category in value.values() for inner in _values(category)]
    return bool(classes) and all(isinstance(c, dict) and _SECTIONS & set(c) for c in classes)


def _values(category: Value) -> list[Value]:
    return list(category.values()) if isinstance(category, dict) else [category]


def read_catalogue(value: Value, place: str, findings: Findings) -> dict[str, CatalogueClass]:
    """The classes by the id of their template."""
    found: dict[str, CatalogueClass] = {}
    for category in entries(value, place, findings):
        for name, inner in category.left_over():
            at = member(category.place, name)
            if not isinstance(inner, dict):
                if not is_empty(inner):
                    findings.problem(at, "an object for a class", value=write(inner))
                continue
            read = _read_class(Entry(inner, at, key=name), category.key, findings)
            class_id = read.implementation.removeprefix("::")
            fault = fault_of(class_id)
            if fault is not None:
                findings.problem(
                    at, fault, value=class_id, reason="INVALID_ID", field="implementation"
                )
            elif class_id in found:
                _add(found[class_id], read, findings)
            else:
                found[class_id] = read
    return found


def _read_class(entry: Entry, category: str, findings: Findings) -> CatalogueClass:
    """One class; what it leaves unsaid of its implementation is its name in the catalogue."""
    drivers = list(read_drivers(entry.take("drivers"), member(entry.place, "drivers"), findings))
    attributes: dict[str, StatedAttribute] = {}
    for stated in read_attributes(entry.take("attrs"), member(entry.place, "attrs"), findings):
        attributes.setdefault(stated.name, _consistent(stated, findings))
    info = entry.take("info")
    about = Entry(info if isinstance(info, dict) else {}, member(entry.place, "info"))
    read = CatalogueClass(
        entry.place,
        about.text("impl") or entry.key,
        about.text("desc"),
        category,
        about.text("interface"),
        tuple(stated.driver for stated in drivers),
        attributes,
    )
    rest: dict[str, Value] = _not_empty(dict(entry.left_over()))
    for name, kept in (
        ("info", _not_empty(dict(about.left_over()))),
        ("drivers", rests_of(drivers)),
        ("attrs", {n: dict(stated.rest) for n, stated in attributes.items() if stated.rest}),
    ):
        if kept:
            rest[name] = dict(kept)
    if rest:
        read.rest[f"{category}.{entry.key}"] = rest
    return read


def _not_empty(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if not is_empty(value)}


def _consistent(stated: StatedAttribute, findings: Findings) -> StatedAttribute:
    """Without the values that contradict themselves: they are proposals, so they stop nothing,
    but a template with them would be refused."""
    facets, rest = dict(stated.facets), dict(stated.rest)
    for wrong in wrong_facets(stated.facets):
        text = facets.pop(wrong.facet)
        rest[wrong.facet] = text
        findings.note(
            stated.place_of(wrong.facet),
            f"is {shown(text)}; right would be {wrong.expected}. As it only proposes a value, "
            "the template is taken without it, and it is kept as a property",
        )
    return replace(stated, facets=facets, rest=rest)


def _add(first: CatalogueClass, again: CatalogueClass, findings: Findings) -> None:
    """A second entry of one class adds what the first does not know."""
    for name, stated in again.attributes.items():
        first.attributes.setdefault(name, stated)
    known = {driver.name for driver in first.drivers}
    first.drivers += tuple(driver for driver in again.drivers if driver.name not in known)
    first.rest.update(again.rest)
    findings.note(
        again.place,
        f"is the class {again.implementation!r} again, after {first.place}; what that one says "
        "counts, and this one adds to it",
    )
