"""Edits by path: what they make of a unit, and what is told of a path that leads nowhere."""

from dataclasses import replace

import pytest

from metadata_server.domain.difference import differences
from metadata_server.domain.intent.attribute import AttributeOverride, Driver
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, edited, steps_of
from metadata_server.domain.life.state import State
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Meta

UNIT = ControlUnit(
    id="A/1",
    description="old",
    labels={"group": "one"},
    template="Supply",
    template_version=2,
    unit_server="US",
    desired_state=State.RUNNING,
    overrides=(AttributeOverride("current", {"maximum": "0x0A", "unit": "A"}),),
    drivers=(Driver("LIN", init_parameter="1", properties={"port": "3"}),),
    parameters={"ramp": "5"},
    meta=Meta(key=7, revision=3),
)


def after(*edits: tuple[str, str | None]) -> ControlUnit:
    return edited(UNIT, steps_of([FieldEdit(path, value) for path, value in edits]))


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("overrides[current].maximum", "0x3C", ("overrides[current].maximum", "0x0A", "0x3C")),
        ("overrides[voltage].minimum", "-1", ("overrides[voltage].minimum", None, "-1")),
        ("overrides[a.b].unit", "V", ("overrides[a.b].unit", None, "V")),
        ("overrides[current].unit", None, ("overrides[current].unit", "A", None)),
        ("parameters[ramp]", "0x10", ("parameters[ramp]", "5", "0x10")),
        ("parameters[ramp]", None, ("parameters[ramp]", "5", None)),
        ("labels[group]", "two", ("labels[group]", "one", "two")),
        ("properties[note]", '"x"', ("properties[note]", None, '"x"')),
        (
            "drivers[LIN].init_parameter",
            '{"a": 1}',
            ("drivers[LIN].init_parameter", "1", '{"a": 1}'),
        ),
        ("drivers[LIN].properties[port]", "4", ("drivers[LIN].properties[port]", "3", "4")),
        ("description", "new", ("description", "old", "new")),
        ("description", None, ("description", "old", None)),
        ("unit_server", "unit_servers/OTHER", ("unit_server", "US", "OTHER")),
        ("unit_server", None, ("unit_server", "US", None)),
        ("desired_state", "STOPPED", ("desired_state", "RUNNING", "STOPPED")),
        ("template_version", "3", ("template_version", "2", "3")),
        ("labels", None, ("labels[group]", "one", None)),
        ("level", "-3", ("level", None, "-3")),
        ("requires", "RING/MAG/, control_units/B/1", ("requires", None, '["RING/MAG/", "B/1"]')),
        ("after", "B/1", ("after", None, '["B/1"]')),
    ],
)
def test_an_edit_changes_its_field_alone(
    path: str, value: str | None, told: tuple[str, str | None, str | None]
) -> None:
    (found,) = differences(UNIT, after((path, value)))
    assert (found.path, found.before, found.after) == told


def test_an_override_of_which_nothing_is_left_is_gone() -> None:
    left = after(("overrides[current].maximum", None), ("overrides[current].unit", None))
    assert left.overrides == ()
    assert after(("overrides[current]", None)).overrides == ()


def test_overrides_stay_sorted() -> None:
    found = after(("overrides[aperture].maximum", "3"))
    assert [override.attribute for override in found.overrides] == ["aperture", "current"]


def test_a_driver_of_which_nothing_is_left_is_still_a_driver() -> None:
    edits = [("drivers[LIN].init_parameter", None), ("drivers[LIN].properties[port]", None)]
    assert after(*edits).drivers == (Driver("LIN"),)


def test_a_whole_override_or_driver_is_json() -> None:
    found = after(
        ("overrides[current]", '{"minimum": "0x01"}'),
        ("drivers[LIN]", '{"version": "2", "properties": {"port": "9"}}'),
    )
    assert found.overrides == (AttributeOverride("current", {"minimum": "0x01"}),)
    assert found.drivers == (Driver("LIN", version="2", properties={"port": "9"}),)


TWINS = replace(
    UNIT, drivers=(Driver("Serial", init_parameter="COM1"), Driver("Serial", init_parameter="COM2"))
)


@pytest.mark.parametrize(
    ("path", "value", "drivers"),
    [
        ("description", "new", TWINS.drivers),
        (
            "drivers[Serial#2].version",
            "3",
            (TWINS.drivers[0], replace(TWINS.drivers[1], version="3")),
        ),
        (
            "drivers[Serial#2]",
            '{"init_parameter": "COM3"}',
            (TWINS.drivers[0], replace(TWINS.drivers[1], init_parameter="COM3")),
        ),
        (
            "drivers[Serial].init_parameter",
            "0",
            (Driver("Serial", init_parameter="0"), TWINS.drivers[1]),
        ),
        ("drivers[Serial]", None, TWINS.drivers[1:]),
        ("drivers[Serial#2]", None, TWINS.drivers[:1]),
        ("drivers", None, ()),
    ],
)
def test_an_edit_keeps_all_drivers_of_one_name(
    path: str, value: str | None, drivers: tuple[Driver, ...]
) -> None:
    found = edited(TWINS, steps_of([FieldEdit(path, value)]))
    assert found.drivers == drivers


def test_edits_are_made_one_after_the_other() -> None:
    edits = [("overrides[current]", None), ("overrides[current].default_value", "1")]
    assert after(*edits).overrides == (AttributeOverride("current", {"default_value": "1"}),)


def test_an_edit_to_what_is_there_gives_the_same_unit() -> None:
    assert after(("description", "old"), ("overrides[none].unit", None)) == UNIT


@pytest.mark.parametrize(
    ("path", "value", "field", "expected"),
    [
        ("overrides[current].maximun", "1", "edits[0].path", "overrides[current].maximum"),
        ("override[current].maximum", "1", "edits[0].path", "overrides[current].maximum"),
        ("parameter[x]", "1", "edits[0].path", "parameters[x]"),
        ("recover_count", "1", "edits[0].value", "+1"),
        ("template", "Other", "edits[0].path", "one of"),
        ("labels", "x", "edits[0].path", "labels[name]"),
        ("", "x", "edits[0].path", "one of"),
        ("desired_state", "GOING", "edits[0].value", "one of UNSPECIFIED, UNLOADED"),
        ("desired_state", "FATAL_ERROR", "edits[0].value", "one of UNSPECIFIED"),
        ("template_version", "four", "edits[0].value", "the number of a version"),
        ("unit_server", "a b", "edits[0].value", "segments of letters"),
        ("level", "1.5", "edits[0].value", "a whole number"),
        ("requires", "A,,B", "edits[0].value", "ids of units and groups"),
        ("overrides[current]", "[]", "edits[0].value", "a JSON object"),
        ("overrides[current]", '{"a":' * 50_000, "edits[0].value", "a JSON object"),
        ("drivers[LIN]", "[" * 50_000, "edits[0].value", "a JSON object"),
        ("overrides[current]", '{"maximum": 60}', "edits[0].value", "in quotes"),
        ("overrides[current]", '{"top": "1"}', "edits[0].value", "some of unit"),
        ("drivers[LIN]", '{"properties": {"port": 1}}', "edits[0].value", "in quotes"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_with_what_would_be_right(
    path: str, value: str | None, field: str, expected: str
) -> None:
    with pytest.raises(Refused, match="INVALID_FIELD") as refused:
        after((path, value))
    (fault,) = refused.value.fields
    assert fault.field == field
    assert expected in fault.expected


def test_all_edits_that_cannot_be_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        after(("nothing", "1"), ("description", "fine"), ("desired_state", "x"))
    assert [fault.field for fault in refused.value.fields] == ["edits[0].path", "edits[2].value"]


def test_no_edit_at_all_is_refused() -> None:
    with pytest.raises(Refused, match="at least one"):
        after()
