"""What has to be edited to restore the values of a snapshot."""

from collections.abc import Collection, Mapping

from metadata_server.domain.intent.attribute import Attribute, Direction, ValueType
from metadata_server.domain.intent.edit import FieldEdit
from metadata_server.domain.intent.facility import SavedUnit, SavedValue
from metadata_server.domain.orchestration.operation import UnitEdits
from metadata_server.domain.values.restore import NotedValue, Restore
from metadata_server.domain.values.tolerance import Tolerance, tolerance_of

CURRENT = Attribute("current", Direction.INPUT, ValueType.DOUBLE, facets={"default_value": "1.50"})
MODE = Attribute("mode", Direction.BIDIRECTIONAL, ValueType.STRING)
READBACK = Attribute("readback", Direction.OUTPUT, ValueType.DOUBLE)
ATTRIBUTES = {each.name: each for each in (CURRENT, MODE, READBACK)}


def saved(**values: str) -> dict[str, SavedValue]:
    return {
        name: SavedValue(
            name, ATTRIBUTES[name].type if name in ATTRIBUTES else ValueType.INT8, value
        )
        for name, value in values.items()
    }


def look(
    values: Mapping[str, SavedValue],
    attributes: Mapping[str, Attribute] | None = ATTRIBUTES,
    *,
    live: Mapping[str, SavedValue] | None = None,
    tolerance: str = "",
    wanted: Collection[str] = (),
) -> Restore:
    found = Restore(tolerance_of(tolerance))
    unit = SavedUnit("U", tuple(values.values()))
    found.look_at(unit, attributes, live or {}, wanted=wanted)
    return found


def edits(found: Restore) -> dict[str, str | None]:
    return {edit.path: edit.value for unit in found.edits for edit in unit.edits}


def test_what_differs_becomes_the_default_and_the_rest_is_left_alone() -> None:
    found = look(saved(current="1.5", mode="scan"))
    assert found.edits == [UnitEdits("U", (FieldEdit("overrides[mode].default_value", "scan"),))]
    assert (found.different, found.equal) == (1, 1)
    assert look(saved(current="1.6")).different == 1
    assert look(saved(current="1.6"), tolerance="0.1").equal == 1


def test_only_wanted_attributes_are_restored() -> None:
    assert edits(look(saved(current="2", mode="a"), wanted={"current"})) == {
        "overrides[current].default_value": "2"
    }


def test_what_cannot_be_restored_is_told() -> None:
    found = look(saved(readback="1", voltage="3", current="2"))
    assert found.left_out == [
        NotedValue("U", "readback", "is an output"),
        NotedValue("U", "voltage", "is no attribute of the unit any more"),
    ]
    assert found.different == 1
    undeclared = look(saved(current="2"), None)
    assert undeclared.left_out == [NotedValue("U", "", "is not declared")]
    assert undeclared.edits == []
    assert look(saved(current="2"), None, wanted={"mode"}).left_out == []


def test_of_a_unit_whose_attributes_are_not_known_all_may_be_restored() -> None:
    assert edits(look(saved(voltage="3"), {})) == {"overrides[voltage].default_value": "3"}


def test_values_that_are_intended_and_not_used_are_told() -> None:
    found = look(saved(current="1.5"), live=saved(current="9"))
    assert found.strayed == [NotedValue("U", "current", "is 9 in the unit")]
    assert look(saved(current="1.5"), live=saved(current="1.5")).strayed == []
    assert look(saved(current="2"), live=saved(current="9")).strayed == []


def test_nothing_is_said_of_nothing() -> None:
    found = Restore(Tolerance())
    found.look_at(SavedUnit("U"), None, {})
    assert found == Restore(Tolerance())
