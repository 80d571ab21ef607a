"""Values that people set in a snapshot by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter

from metadata_server.domain.intent.attribute import Attribute, Direction, ValueType
from metadata_server.domain.intent.facets import Slot, facet_faults
from metadata_server.domain.intent.facility import SavedUnit, SavedValue, Snapshot
from metadata_server.domain.intent.values import Fault, parse
from metadata_server.domain.part_checks import name_faults, word_faults
from metadata_server.domain.refused import WrongField


@dataclass(frozen=True, slots=True)
class SetPoint:
    """One value to set; a type that is UNSPECIFIED is that of what is there."""

    control_unit: str
    attribute: str
    value: str
    type: ValueType = ValueType.UNSPECIFIED


def set_point_faults(
    point: SetPoint, attributes: Mapping[str, Attribute] | None, *, path: str
) -> Iterator[WrongField]:
    """All that is wrong with a value.

    Args:
        attributes: that the unit shall use, by name; None: it is not declared. Empty: what it
            has is not known yet, and it may be any.
        path: of the field that holds it (`values[3]`).
    """
    yield from name_faults(point.control_unit, path=f"{path}.control_unit")
    yield from word_faults(point.attribute, path=f"{path}.attribute")
    attribute = (attributes or {}).get(point.attribute)
    if attribute is None:
        if attributes:
            expected = f"an attribute of {point.control_unit}"
            yield WrongField(f"{path}.attribute", point.attribute, expected, "NOT_IN_TEMPLATE")
            return
        found = parse(point.value, point.type, shape=None)
        if isinstance(found, Fault):
            yield invalid(point, found.expected, "INVALID_VALUE", path=path)
        return
    if attribute.direction is Direction.OUTPUT:
        expected = "an input or bidirectional attribute; this one is an output"
        yield WrongField(f"{path}.attribute", point.attribute, expected, "OVERRIDE_OF_OUTPUT")
        return
    slot = Slot(attribute.name, attribute.type, attribute.shape, attribute.maximum_size_bytes)
    said = {"default_value": point.value}
    for fault in facet_faults(slot, {**attribute.facets, **said}, path="", said=said):
        yield invalid(point, fault.expected, fault.reason, path=path)


def invalid(point: SetPoint, expected: str, reason: str, *, path: str) -> WrongField:
    subject = f"{point.attribute} of {point.control_unit}"
    return WrongField(f"{path}.value", point.value, expected, reason, subject)


def typed(point: SetPoint, attributes: Mapping[str, Attribute] | None) -> SetPoint:
    """A value with the type that the unit's attribute has, where that is known."""
    attribute = (attributes or {}).get(point.attribute)
    if attribute is None or attribute.type is ValueType.UNSPECIFIED:
        return point
    return replace(point, type=attribute.type)


def with_values(snapshot: Snapshot, points: Iterable[SetPoint]) -> Snapshot:
    """A snapshot with some values set, and all others as they are."""
    units = {each.control_unit: each for each in snapshot.units}
    changed: dict[str, dict[str, SavedValue]] = {}
    for point in points:
        if point.control_unit not in changed:
            unit = units.setdefault(point.control_unit, SavedUnit(point.control_unit))
            changed[point.control_unit] = {each.attribute: each for each in unit.values}
        values = changed[point.control_unit]
        values[point.attribute] = saved(point, values)
    for id, values in changed.items():
        ordered = sorted(values.values(), key=attrgetter("attribute"))
        units[id] = replace(units[id], values=tuple(ordered))
    return replace(snapshot, units=tuple(units[id] for id in sorted(units)))


def saved(point: SetPoint, there: Mapping[str, SavedValue]) -> SavedValue:
    type_ = point.type
    if type_ is ValueType.UNSPECIFIED and point.attribute in there:
        type_ = there[point.attribute].type
    return SavedValue(point.attribute, type_, point.value)
