"""What has to be edited so that control units shall use the values of a snapshot."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from metadata_server.domain.intent.attribute import Attribute, Direction
from metadata_server.domain.intent.edit import FieldEdit
from metadata_server.domain.intent.facility import SavedUnit, SavedValue
from metadata_server.domain.orchestration.operation import UnitEdits
from metadata_server.domain.values.saved_values import deviation
from metadata_server.domain.values.tolerance import Tolerance

Values = Mapping[str, SavedValue]
"""Values of one unit, by attribute."""


@dataclass(frozen=True, slots=True)
class NotedValue:
    """A value of a snapshot; no attribute: all of the unit's. `note` goes on a sentence about
    it."""

    control_unit: str
    attribute: str
    note: str


@dataclass(slots=True)
class Restore:
    """What there is to do.

    Attributes:
        edits: by unit, in the order in which units were looked at.
        equal: how many values are intended already.
        left_out: values that cannot be restored.
        strayed: values that are intended already, while the unit uses others.
    """

    tolerance: Tolerance
    edits: list[UnitEdits] = field(default_factory=list)
    equal: int = 0
    left_out: list[NotedValue] = field(default_factory=list)
    strayed: list[NotedValue] = field(default_factory=list)

    @property
    def different(self) -> int:
        return sum(len(each.edits) for each in self.edits)

    def look_at(
        self,
        unit: SavedUnit,
        attributes: Mapping[str, Attribute] | None,
        live: Values,
        *,
        wanted: Collection[str] = (),
    ) -> None:
        """Takes one unit of a snapshot in.

        Args:
            attributes: that the unit shall use, by name; None: it is not declared. Empty: what
                it has is not known yet, and it may be any.
            live: what the unit last reported.
            wanted: attributes; none: all.
        """
        values = [each for each in unit.values if not wanted or each.attribute in wanted]
        if attributes is None:
            if values:
                note = "is not declared"
                self.left_out.append(NotedValue(unit.control_unit, "", note))
            return
        edits = []
        for value in values:
            if attributes and (why := obstacle(attributes.get(value.attribute))):
                self.left_out.append(NotedValue(unit.control_unit, value.attribute, why))
            elif self._is_intended(value, attributes.get(value.attribute)):
                self.equal += 1
                self._look_for_stray(unit.control_unit, value, live.get(value.attribute))
            else:
                edits.append(FieldEdit(f"overrides[{value.attribute}].default_value", value.value))
        if edits:
            self.edits.append(UnitEdits(unit.control_unit, tuple(edits)))

    def _is_intended(self, value: SavedValue, attribute: Attribute | None) -> bool:
        default = attribute.facets.get("default_value") if attribute else None
        if attribute is None or default is None:
            return False
        intended = SavedValue(value.attribute, attribute.type, default)
        return deviation(value, intended, self.tolerance) is None

    def _look_for_stray(self, unit: str, value: SavedValue, live: SavedValue | None) -> None:
        if live is not None and deviation(value, live, self.tolerance) is not None:
            note = f"is {live.value} in the unit"
            self.strayed.append(NotedValue(unit, value.attribute, note))


def obstacle(attribute: Attribute | None) -> str:
    """Why a value of an attribute cannot be restored; empty: it can."""
    if attribute is None:
        return "is no attribute of the unit any more"
    return "is an output" if attribute.direction is Direction.OUTPUT else ""
