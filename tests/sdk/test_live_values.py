"""What inputs are set to, on its way to a server."""

import asyncio
import threading

import pytest
from mds.v1 import registration_pb2

from control_units import ControlUnit, Direction, RecoverableError, State, ValueType, attribute
from control_units.hosting import Hosting
from control_units.live_values import MAXIMUM_UNITS, MESSAGE_CHARACTERS, PERIOD_S, LiveValues
from tests.sdk.devices import Device, assignment, settle
from tests.sdk.test_outbox import Clock


class Shaper(ControlUnit):
    """Inputs of several types, one that it writes itself, and a read-back."""

    shape = attribute(type=float, shape=(0,), direction=Direction.INPUT)
    mode = attribute(type=str, direction=Direction.INPUT, default="idle")
    trigger = attribute(type=bool, direction=Direction.BIDIRECTIONAL, default=False)
    mask = attribute(type=bytes, direction=Direction.INPUT, default="AAE=")
    plan = attribute(type=dict, direction=Direction.INPUT)
    phase = attribute(direction=Direction.OUTPUT, default=0.5)

    async def on_set(self, name: str, value: object, /) -> None:
        if value == "refused":
            raise RecoverableError(f"{name} cannot be {value}")


def units(messages: list[registration_pb2.ValueReports]) -> list[registration_pb2.UnitValues]:
    return [unit for message in messages for unit in message.units]


def texts(unit: registration_pb2.UnitValues) -> dict[str, str]:
    return {value.attribute: value.value for value in unit.values}


def told(values: LiveValues) -> dict[str, dict[str, str]]:
    return {
        each.control_unit.removeprefix("control_units/"): texts(each)
        for each in units(values.collect())
    }


class Thermometer(ControlUnit):
    """Has nothing that could be set."""

    degrees = attribute(default=20.0)


def test_a_unit_without_inputs_is_told_to_have_none() -> None:
    values = LiveValues(clock=Clock())
    values.note("A/T", Thermometer("A/T"))
    assert told(values) == {"A/T": {}}


async def test_inputs_are_told_as_text_by_their_types() -> None:
    clock = Clock()
    values = LiveValues(clock=clock)
    unit = Shaper("A/B")
    await unit.set("shape", [1, 2.5])
    await unit.set("plan", {"b": None, "a": [True, "ä"]})
    values.note("A/B", unit)
    (found,) = units(values.collect())
    assert found.control_unit == "control_units/A/B"
    assert texts(found) == {
        "mask": "AAE=",
        "mode": "idle",
        "plan": '{"a": [true, "ä"], "b": null}',
        "shape": "[1.0, 2.5]",
        "trigger": "false",
    }
    assert {ValueType(each.type) for each in found.values} == {
        ValueType.BYTES,
        ValueType.STRING,
        ValueType.JSON,
        ValueType.DOUBLE,
        ValueType.BOOL,
    }


async def test_only_what_changed_is_told_and_how_long_ago() -> None:
    clock = Clock()
    values = LiveValues(clock=clock)
    one, other = Shaper("A"), Shaper("B")
    for unit in (one, other):
        values.note(unit.id, unit)
    assert set(told(values)) == {"A", "B"}
    clock.now += 10
    await one.set("mode", "scan")
    for unit in (one, other):
        values.note(unit.id, unit)
    (found,) = units(values.collect())
    assert (found.control_unit, texts(found)["mode"]) == ("control_units/A", "scan")
    ages = {each.attribute: each.age.ToSeconds() for each in found.values}
    assert (ages["mode"], ages["trigger"]) == (0, 10)
    clock.now += 5
    again = {each.control_unit: each for each in units(values.begin_stream())}
    assert again["control_units/A"].sequence == found.sequence
    assert [each.age.ToSeconds() for each in again["control_units/A"].values][-1] == 15
    assert len(again) == 2


async def test_a_unit_is_told_once_a_period_with_its_last_values() -> None:
    clock = Clock()
    values = LiveValues(clock=clock)
    unit = Shaper("A")
    assert values.note("A", unit)
    assert len(told(values)) == 1
    for number in range(5):
        clock.now += PERIOD_S / 10
        unit.write("trigger", number % 2 == 0)
        assert values.note("A", unit) is (number == 0)
        assert told(values) == {}
    assert values.due == pytest.approx(100.0 + PERIOD_S)
    clock.now += PERIOD_S
    assert told(values)["A"]["trigger"] == "true"
    assert values.due is None


async def test_many_units_go_in_several_messages() -> None:
    values = LiveValues(clock=Clock())
    for number in range(MAXIMUM_UNITS + 1):
        values.note(f"U{number}", Shaper(f"U{number}"))
    first = values.collect()
    assert [len(message.units) for message in first] == [MAXIMUM_UNITS]
    assert values.due == 100.0
    assert [len(message.units) for message in values.collect()] == [1]
    assert [len(message.units) for message in values.begin_stream()] == [MAXIMUM_UNITS, 1]


async def test_values_that_are_too_long_are_left_out_and_the_others_told() -> None:
    values = LiveValues(clock=Clock())
    long, short = Shaper("A"), Shaper("B")
    await long.set("mode", "x" * MESSAGE_CHARACTERS)
    await short.set("mode", "x" * (MESSAGE_CHARACTERS // 2))
    for unit in (long, short):
        values.note(unit.id, unit)
    found = told(values)
    assert set(found["A"]) == {"mask", "trigger"}
    assert len(found["B"]["mode"]) == MESSAGE_CHARACTERS // 2
    third = Shaper("C")
    await third.set("mode", "x" * (MESSAGE_CHARACTERS // 2 + 1))
    values.note("C", third)
    assert len(values.begin_stream()) == 1
    values._next_round = 0.0
    assert set(told(values)) == {"C"}
    assert [len(message.units) for message in values.begin_stream()] == [2, 1]


async def test_a_set_point_that_is_refused_is_told_as_it_was() -> None:
    values = LiveValues(clock=Clock())
    unit = Shaper("A")

    def note() -> None:
        values.note("A", unit)

    unit._on_values = note
    with pytest.raises(RecoverableError):
        await unit.set("mode", "refused")
    assert told(values)["A"]["mode"] == "idle"


async def test_units_tell_their_values_once_they_are_configured(hosting: Hosting) -> None:
    hosting.assign([assignment("A", State.LOADED, default="2.5")])
    await settle(hosting)
    assert told(hosting.values) == {}
    hosting.assign([assignment("A", default="2.5", generation=2)])
    await settle(hosting)
    assert told(hosting.values) == {"A": {"current": "2.5"}}


async def test_what_a_thread_writes_wakes_the_one_who_tells_it(hosting: Hosting) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    hosting.values.collect()
    unit = hosting.units["A"].unit
    assert isinstance(unit, Device)
    hosting.reported.clear()
    writer = threading.Thread(target=lambda: asyncio.run(unit.set("current", 4)))
    writer.start()
    async with asyncio.timeout(5):
        await hosting.reported.wait()
    writer.join()
    hosting.values._next_round = 0.0
    assert told(hosting.values) == {"A": {"current": "4.0"}}


async def test_a_renamed_unit_tells_its_values_under_its_new_name(hosting: Hosting) -> None:
    hosting.assign([assignment("A")])
    await settle(hosting)
    assert set(told(hosting.values)) == {"A"}
    renamed = assignment("B", generation=2)
    renamed.former_name = "control_units/A"
    hosting.assign([renamed])
    await settle(hosting)
    hosting.values._next_round = 0.0
    assert told(hosting.values) == {"B": {"current": "1.0"}}
    hosting.remove(["control_units/B"])
    assert hosting.values.begin_stream() == []
