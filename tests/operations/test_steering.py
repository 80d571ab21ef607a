"""People steer operations, and later orders take the place of earlier ones."""

import pytest
from mds.v1.edit_pb2 import FieldEdit
from mds.v1.operation_pb2 import (
    AbortOperationRequest,
    ListOperationsRequest,
    Operation,
    OperationPhase,
    OrderVerb,
    PauseOperationRequest,
    ResumeOperationRequest,
    RetryOperationRequest,
    SkipOperationStepsRequest,
)

from control_units.client import Refused
from tests.operations.section import START, STOP, PowerSupply, Section, phase, some, unit
from tests.stages.waiting import until


async def begun(section: Section, operation: Operation, id: str) -> None:
    """A step is under way."""

    async def it_is() -> bool:
        return (await section.told(operation))[id][0] == "EXECUTING" and id in PowerSupply.started

    await until(it_is, what=f"{id} under way")


async def two_levels(section: Section) -> None:
    await section.declare(unit("LAB/A"), unit("LAB/B", level=1))
    PowerSupply.waits.add("LAB/A")


async def test_a_paused_operation_begins_nothing_until_it_is_resumed(section: Section) -> None:
    await two_levels(section)
    operations = section.client.operations
    async with section.hosted():
        order = await section.order(START)
        await begun(section, order, "LAB/A")
        paused = await operations.PauseOperation(PauseOperationRequest(name=order.name))
        assert phase(paused) == "SUSPENDED"
        PowerSupply.waits.clear()

        async def first_there() -> bool:
            return (await section.told(order))["LAB/A"] == ("COMPLETED", "Reached")

        await until(first_there, what="the step under way to end")
        assert (await section.told(order))["LAB/B"] == ("PENDING", "Paused")
        assert phase(await section.get(order.name)) == "SUSPENDED"
        await operations.ResumeOperation(ResumeOperationRequest(name=order.name))
        assert phase(await section.ended(order)) == "COMPLETED"


async def test_a_resumed_operation_is_told_as_under_way_though_it_begins_nothing(
    section: Section,
) -> None:
    await two_levels(section)
    async with section.hosted():
        order = await section.order(START)
        await begun(section, order, "LAB/A")
        operations = section.client.operations
        await operations.PauseOperation(PauseOperationRequest(name=order.name))
        await operations.ResumeOperation(ResumeOperationRequest(name=order.name))

        async def is_under_way() -> bool:
            return phase(await section.get(order.name)) == "EXECUTING"

        await until(is_under_way, what="it to be under way")
        PowerSupply.waits.clear()
        assert phase(await section.ended(order)) == "COMPLETED"


async def test_an_aborted_operation_ends_when_what_is_under_way_has(section: Section) -> None:
    await two_levels(section)
    operations = section.client.operations
    async with section.hosted():
        order = await section.order(START)
        await begun(section, order, "LAB/A")
        waiting = (await section.told(order))["LAB/B"]
        assert waiting == ("PENDING", "WaitingForLevel")
        await operations.AbortOperation(AbortOperationRequest(name=order.name))
        assert (await section.told(order))["LAB/B"] == ("ABORTED", "AbortedByPerson")
        PowerSupply.waits.clear()
        ended = await section.ended(order)
        assert (phase(ended), ended.minor_state) == ("ABORTED", "AbortedByPerson")
        with pytest.raises(Refused) as refused:
            await operations.PauseOperation(PauseOperationRequest(name=order.name))
        assert refused.value.reason == "OPERATION_ENDED"
        await operations.RetryOperation(RetryOperationRequest(name=order.name))
        assert phase(await section.ended(order)) == "COMPLETED"
        with pytest.raises(Refused) as refused:
            await operations.RetryOperation(RetryOperationRequest(name=order.name))
        assert refused.value.reason == "NOTHING_TO_RETRY"


async def test_what_failed_is_begun_again_and_told_to_recover(section: Section) -> None:
    await section.declare(unit("LAB/A"), unit("LAB/B", level=1))
    PowerSupply.fails.add("LAB/A")
    async with section.hosted(recover_attempts=0):
        order = await section.order(START)
        assert phase(await section.ended(order)) == "ERROR"
        PowerSupply.fails.clear()
        request = RetryOperationRequest(name=order.name, request_id="again")
        retried = await section.client.operations.RetryOperation(request)
        assert phase(retried) == "QUEUED"
        assert not retried.HasField("end_time")
        ended = await section.ended(order)
        assert phase(ended) == "COMPLETED"
        assert [each.attempts for each in await section.steps(order)] == [2, 1]
        # The same call again is answered, and begins nothing.
        await section.client.operations.RetryOperation(request)
        assert phase(await section.get(order.name)) == "COMPLETED"


async def test_a_skipped_step_lets_those_behind_it_go_on(section: Section) -> None:
    await two_levels(section)
    async with section.hosted():
        order = await section.order(START)
        await begun(section, order, "LAB/A")
        skip = SkipOperationStepsRequest(name=order.name, control_units=["control_units/LAB/A"])
        await section.client.operations.SkipOperationSteps(skip)
        ended = await section.ended(order)
        assert phase(ended) == "COMPLETED"
        assert await section.told(order) == {
            "LAB/A": ("SKIPPED", "SkippedByPerson"),
            "LAB/B": ("COMPLETED", "Reached"),
        }
        other = SkipOperationStepsRequest(name=order.name, control_units=["control_units/LAB/X"])
        with pytest.raises(Refused, match="OPERATION_ENDED"):
            await section.client.operations.SkipOperationSteps(other)


async def test_a_later_order_takes_the_place_of_an_earlier_one(section: Section) -> None:
    await two_levels(section)
    async with section.hosted():
        first = await section.order(START)
        await begun(section, first, "LAB/A")
        second = await section.order(STOP)
        PowerSupply.waits.clear()
        superseded = await section.ended(first)
        assert (phase(superseded), superseded.minor_state) == ("ABORTED", "Superseded")
        assert phase(await section.ended(second)) == "COMPLETED"
        assert set((await section.states()).values()) == {"STOPPED"}
        assert second.name in (await section.steps(first))[0].message


async def test_a_change_of_what_is_wanted_ends_a_step(section: Section) -> None:
    await section.declare(*some(1))
    PowerSupply.waits.add("LAB/1")
    async with section.hosted():
        order = await section.order(START)
        await begun(section, order, "LAB/1")
        unit_now = await section.declared("LAB/1")
        await section.edit("LAB/1", FieldEdit(path="desired_state", value="LOADED"))
        assert unit_now.desired_state != (await section.declared("LAB/1")).desired_state
        ended = await section.ended(order)
        assert (phase(ended), ended.minor_state) == ("ABORTED", "Superseded")
        assert "shift@control-room" in (await section.steps(order))[0].message
        PowerSupply.waits.clear()


async def test_an_order_that_waits_begins_when_it_is_resumed(section: Section) -> None:
    await section.declare(*some(1))
    async with section.hosted():
        order = await section.order(START, wait=True)
        assert phase(order) == "PENDING"
        assert await section.told(order) == {"LAB/1": ("PENDING", "Waiting")}
        await section.client.operations.ResumeOperation(ResumeOperationRequest(name=order.name))
        assert phase(await section.ended(order)) == "COMPLETED"


async def test_edits_end_when_the_units_use_them(section: Section) -> None:
    await section.declare(*some(2))
    edit = FieldEdit(path="overrides[current].maximum", value="5")
    async with section.hosted():
        await section.ended(await section.order(START))
        verb = OrderVerb.ORDER_VERB_EDIT
        ended = await section.ended(await section.order(verb, edits=[edit]))
        assert phase(ended) == "COMPLETED"
        assert set((await section.told(ended)).values()) == {("COMPLETED", "Reached")}
        again = await section.ended(await section.order(verb, edits=[edit]))
        assert set((await section.told(again)).values()) == {("COMPLETED", "AlreadyThere")}
    written = await section.ended(
        await section.order(verb, edits=[FieldEdit(path="overrides[current].maximum", value="6")])
    )
    assert set((await section.told(written)).values()) == {("COMPLETED", "Written")}


async def test_operations_are_listed_by_any_column(section: Section) -> None:
    await section.declare(*some(3))
    async with section.hosted():
        for verb in (START, STOP, START):
            await section.ended(await section.order(verb, "LAB/1"))
        operations = section.client.operations
        first = await operations.ListOperations(ListOperationsRequest(page_size=2))
        rest = await operations.ListOperations(
            ListOperationsRequest(page_size=2, page_token=first.next_page_token)
        )
        listed = [*first.operations, *rest.operations]
        assert first.total_size == 3
        assert [each.verb for each in listed] == [START, STOP, START]
        times = [each.create_time.ToNanoseconds() for each in listed]
        assert times == sorted(times, reverse=True)
        by_verb = ListOperationsRequest(order_by="verb desc", control_unit="control_units/LAB/1")
        found = (await operations.ListOperations(by_verb)).operations
        assert [each.verb for each in found] == [STOP, START, START]
        none = ListOperationsRequest(phases=[OperationPhase.OPERATION_PHASE_ERROR])
        assert (await operations.ListOperations(none)).total_size == 0
        with pytest.raises(Refused, match="order_by"):
            await operations.ListOperations(ListOperationsRequest(order_by="colour"))
