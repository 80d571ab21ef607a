"""What becomes of an operation whose units fail, hang, or are not there."""

import pytest
from google.protobuf.duration_pb2 import Duration
from mds.v1.operation_pb2 import OnFailure, OrderVerb

from control_units.client import Refused
from tests.operations.section import START, STOP, PowerSupply, Section, phase, some, unit

CONTINUE = OnFailure.ON_FAILURE_CONTINUE
ROLL_BACK = OnFailure.ON_FAILURE_ROLL_BACK


async def test_nothing_more_begins_after_a_failure(section: Section) -> None:
    await section.declare(unit("LAB/A", level=1), unit("LAB/B", level=1), unit("LAB/C", level=2))
    PowerSupply.fails.add("LAB/A")
    async with section.hosted(recover_attempts=0):
        ended = await section.ended(await section.order(START))
        assert (phase(ended), ended.minor_state) == ("ERROR", "StepsFailed")
        assert "LAB/A" in ended.message
        assert "the mains are off" in ended.message
        assert await section.told(ended) == {
            "LAB/A": ("ERROR", "UnitFailed"),
            "LAB/B": ("COMPLETED", "Reached"),
            "LAB/C": ("ABORTED", "AfterFailure"),
        }
        assert "LAB/C" not in PowerSupply.started


async def test_all_goes_on_that_does_not_require_what_failed(section: Section) -> None:
    await section.declare(
        unit("LAB/A"), unit("LAB/B", level=1), unit("LAB/C", requires=["control_units/LAB/A"])
    )
    PowerSupply.fails.add("LAB/A")
    async with section.hosted(recover_attempts=0):
        ended = await section.ended(await section.order(START, on_failure=CONTINUE))
        assert phase(ended) == "ERROR"
        assert await section.told(ended) == {
            "LAB/A": ("ERROR", "UnitFailed"),
            "LAB/B": ("COMPLETED", "Reached"),
            "LAB/C": ("ABORTED", "RequiredFailed"),
        }


async def test_what_was_begun_is_taken_back(section: Section) -> None:
    await section.declare(unit("LAB/A"), unit("LAB/B", level=1), unit("LAB/C", level=2))
    PowerSupply.fails.add("LAB/B")
    async with section.hosted(recover_attempts=0):
        stopped = OrderVerb.ORDER_VERB_INIT
        await section.ended(await section.order(stopped))
        ended = await section.ended(await section.order(START, on_failure=ROLL_BACK))
        assert (phase(ended), ended.minor_state) == ("ERROR", "TakenBack")
        told = await section.told(ended)
        assert told["LAB/A<"] == ("COMPLETED", "Reached")
        assert told["LAB/B<"][0] == "COMPLETED"
        assert told["LAB/C"] == ("ABORTED", "AfterFailure")
        assert (await section.states())["LAB/A"] == "INITIALIZED"
        assert ended.counts.steps == 5


async def test_a_step_that_takes_too_long_has_failed(section: Section) -> None:
    await section.declare(*some(2))
    PowerSupply.waits.add("LAB/1")
    async with section.hosted():
        order = await section.order(START, step_timeout=Duration(seconds=1), on_failure=CONTINUE)
        ended = await section.ended(order)
        assert await section.told(ended) == {
            "LAB/1": ("ERROR", "TimedOut"),
            "LAB/2": ("COMPLETED", "Reached"),
        }
        (step, _) = await section.steps(ended)
        assert "1 s" in step.message
        assert "INITIALIZED" in step.message
        PowerSupply.waits.clear()


async def test_a_unit_that_nobody_hosts_is_out_of_touch_until_it_is_too_late(
    section: Section,
) -> None:
    await section.declare(*some(1))
    order = await section.order(START, step_timeout=Duration(seconds=2))

    running = await section.reaches(order, "EXECUTING")
    while (await section.told(running))["LAB/1"][1] == "OnTheWay":
        running = await section.get(order.name)
    assert (await section.told(running))["LAB/1"] == ("EXECUTING", "OutOfTouch")
    assert (await section.told(await section.ended(order)))["LAB/1"] == ("ERROR", "TimedOut")


async def test_a_step_is_tried_again_as_often_as_its_author_says(section: Section) -> None:
    await section.declare(*some(1))
    PowerSupply.fails.add("LAB/1")
    async with section.hosted(recover_attempts=0):
        again = Duration(nanos=200_000_000)
        order = await section.order(START, most_attempts=3, retry_delay=again)
        ended = await section.ended(order)
        assert phase(ended) == "ERROR"
        (step,) = await section.steps(ended)
        assert step.attempts == 3
        assert PowerSupply.started == ["LAB/1"] * 3


async def test_a_unit_that_its_unit_server_recovers_has_not_failed(section: Section) -> None:
    await section.declare(*some(1))
    PowerSupply.fails.add("LAB/1")
    async with section.hosted(recover_attempts=5):
        order = await section.order(START)
        while (await section.told(order))["LAB/1"] != ("EXECUTING", "Recovering"):
            assert phase(await section.get(order.name)) in {"QUEUED", "EXECUTING"}
        assert "the mains are off" in (await section.steps(order))[0].message
        PowerSupply.fails.clear()
        assert phase(await section.ended(order)) == "COMPLETED"
        assert len(PowerSupply.started) == 2


async def test_a_unit_that_fails_again_has_failed_though_more_attempts_come(
    section: Section,
) -> None:
    await section.declare(*some(1))
    PowerSupply.fails.add("LAB/1")
    async with section.hosted(recover_attempts=5):
        ended = await section.ended(await section.order(START))
        assert await section.told(ended) == {"LAB/1": ("ERROR", "UnitFailed")}
        assert len(PowerSupply.started) == 2


async def test_all_that_has_not_begun_when_its_time_is_over_is_aborted(section: Section) -> None:
    await section.declare(unit("LAB/A"), unit("LAB/B", level=1))
    PowerSupply.waits.add("LAB/A")
    async with section.hosted():
        order = await section.order(START, timeout=Duration(seconds=1))
        while (await section.told(order))["LAB/B"] != ("ABORTED", "OutOfTime"):
            assert phase(await section.get(order.name)) in {"QUEUED", "EXECUTING"}
        PowerSupply.waits.clear()
        ended = await section.ended(order)
        assert (phase(ended), ended.minor_state) == ("ABORTED", "TimedOut")
        assert (await section.told(ended))["LAB/A"] == ("COMPLETED", "Reached")


async def test_a_running_unit_is_not_taken_from_those_that_require_it(section: Section) -> None:
    await section.declare(unit("LAB/A"), unit("LAB/B", requires=["control_units/LAB/A"]))
    async with section.hosted():
        await section.ended(await section.order(START))
        with pytest.raises(Refused, match="LAB/B requires LAB/A") as refused:
            await section.order(STOP, "LAB/A", all_or_none=True)
        assert refused.value.reason == "UNITS_BLOCKED"
        left_out = await section.ended(await section.order(STOP, "LAB/A"))
        assert await section.told(left_out) == {"LAB/A": ("SKIPPED", "Blocked")}
        assert (await section.states())["LAB/A"] == "RUNNING"
        even_so = await section.ended(await section.order(STOP, "LAB/A", even_so=True))
        assert await section.told(even_so) == {"LAB/A": ("COMPLETED", "Reached")}
