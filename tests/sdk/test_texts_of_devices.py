"""What a device says may be no text that can be sent: half of a surrogate pair comes from JSON, from
file names, from `surrogateescape`."""

import json
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from control_units import ControlUnit, Direction, State, WrongType, attribute
from control_units.hosted_unit import Standing
from control_units.live_values import PERIOD_S, LiveValues
from tests.sdk.laboratory import Laboratory, Probe
from tests.sdk.test_live_values import told
from tests.sdk.test_outbox import Clock, outbox, reports
from tests.sdk.test_told_values import until_told

HALF = json.loads('"\\ud83d"')


class Talker(Probe, implementation="Probe"):
    """Notes what its device says in an input."""

    word = attribute(type=str, direction=Direction.BIDIRECTIONAL)


class Planner(ControlUnit):
    plan = attribute(type=dict, direction=Direction.BIDIRECTIONAL)
    mode = attribute(type=str, direction=Direction.BIDIRECTIONAL, default="idle")


def fails(unit: ControlUnit) -> None:
    unit.fail(f"device said {HALF}")


def writes(unit: ControlUnit) -> None:
    unit.write("word", f"device said {HALF}")


@pytest.mark.parametrize(
    ("does", "state"), [(fails, State.RECOVERABLE_ERROR), (writes, State.RUNNING)]
)
async def test_a_text_that_cannot_be_sent_silences_neither_its_unit_nor_the_others(
    lab: Laboratory, does: Callable[[ControlUnit], None], state: State
) -> None:
    await lab.declare("A", "B")
    with capture_logs() as logs:
        server = lab.serve((Talker,))
        await lab.until_states(A=State.RUNNING, B=State.RUNNING)
        loud, neighbour = lab.unit(server, "A").unit, lab.unit(server, "B").unit
        assert loud is not None
        assert neighbour is not None
        does(loud)
        if does is fails:
            await lab.until_states(A=state, B=State.RUNNING)
            assert (await lab.status("A")).message == "device said ?"
        else:
            await until_told(
                lab,
                A=("1.0, device said ?", "ALIVE", "RUNNING"),
                B=("1.0", "ALIVE", "RUNNING"),
            )
        neighbour.fail("no water")
        await lab.until_states(A=state, B=State.RECOVERABLE_ERROR)
        await lab.end(server)
    events = [each["event"] for each in logs]
    assert "link_failed" not in events
    assert events.count("registered") == 1


async def test_an_exception_with_such_a_text_is_told(lab: Laboratory) -> None:
    Probe.faults["A start"] = OSError(f"no such file: {HALF}")
    await lab.declare("A")
    lab.serve()
    await lab.until_states(A=State.RECOVERABLE_ERROR)
    assert (await lab.status("A")).message == "OSError: no such file: ?"


async def test_a_reason_that_cannot_be_sent_keeps_nobody_out(lab: Laboratory) -> None:
    await lab.declare("A")
    lab.serve(reason=f"after lunch {HALF}", version=f"1.0{HALF}")
    await lab.until_states(A=State.RUNNING)
    assert (await lab.session()).version == "1.0?"


def test_a_report_that_cannot_be_written_is_left_out_and_named() -> None:
    box = outbox()
    box.note("A", Standing(State.LOADED, 1.0, HALF))
    box.note("B", Standing(State.LOADED, 1.0))
    with capture_logs() as logs:
        assert [each.control_unit for each in reports(box.collect())] == ["control_units/B"]
    assert [(each["event"], each["control_unit"]) for each in logs] == [("report_left_out", "A")]
    assert [each.control_unit for each in reports(box.begin_stream())] == ["control_units/B"]
    box.note("A", Standing(State.RUNNING, 2.0))
    assert [each.control_unit for each in reports(box.collect())] == ["control_units/A"]


def test_json_that_cannot_be_written_is_refused_where_it_is_set() -> None:
    unit = Planner("A")
    with pytest.raises(WrongType, match=r"plan: .* cannot be written as JSON"):
        unit.plan = {1: 2, "a": 3}


def test_a_value_that_became_unwritable_is_left_out_and_the_others_told() -> None:
    clock = Clock()
    values = LiveValues(clock=clock)
    unit, neighbour = Planner("A"), Planner("B")
    plan: dict[object, object] = {"a": 3}
    unit.plan = plan
    plan[1] = 2  # behind its back
    with capture_logs() as logs:
        for _ in range(2):
            values.note("A", unit)
            values.note("B", neighbour)
            told(values)
            clock.now += PERIOD_S
    assert {each.control_unit for message in values.begin_stream() for each in message.units} == {
        "control_units/A",
        "control_units/B",
    }
    assert [(each["event"], each["control_unit"], each["attribute"]) for each in logs] == [
        ("value_unwritable", "A", "plan")
    ]
    del plan[1]
    values.note("A", unit)
    assert told(values) == {"A": {"mode": "idle", "plan": '{"a": 3}'}}


def test_what_cannot_be_sent_of_one_unit_leaves_it_out() -> None:
    values = LiveValues(clock=Clock())
    for id in (f"A{HALF}", "B"):
        values.note(id, Planner(id))
    with capture_logs() as logs:
        assert told(values) == {"B": {"mode": "idle"}}
    assert [each["event"] for each in logs] == ["values_left_out"]
    assert len(values.begin_stream()) == 1
