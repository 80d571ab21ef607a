"""People steer an operation that was steered before, or goes back by itself."""

import pytest
from google.protobuf.duration_pb2 import Duration
from mds.v1.operation_pb2 import (
    AbortOperationRequest,
    OnFailure,
    PauseOperationRequest,
    RetryOperationRequest,
)

from control_units.client import Refused
from tests.conftest import StartReplica
from tests.operations.section import START, PowerSupply, Section, phase, unit
from tests.stages.replica import Replica
from tests.stages.waiting import until


@pytest.fixture
async def replica(start_replica: StartReplica, sqlite_database: str) -> Replica:
    return await start_replica(sqlite_database)


async def reached(section: Section, name: str, minor_state: str) -> None:
    async def so() -> bool:
        return (await section.get(name)).minor_state == minor_state

    await until(so, within=20, what=f"{name} to be {minor_state}")


async def test_what_is_tried_again_while_it_is_aborted_goes_on(section: Section) -> None:
    await section.declare(unit("LAB/A"), unit("LAB/B", level=1))
    PowerSupply.waits.add("LAB/A")
    operations = section.client.operations
    async with section.hosted():
        order = await section.order(START)
        await until(lambda: PowerSupply.started == ["LAB/A"])
        await operations.AbortOperation(AbortOperationRequest(name=order.name))
        again = await operations.RetryOperation(RetryOperationRequest(name=order.name))
        assert (phase(again), again.counts.aborted) == ("QUEUED", 0)
        PowerSupply.waits.clear()
        ended = await section.ended(order)
        assert (phase(ended), ended.counts.completed) == ("COMPLETED", 2)


async def test_what_is_paused_while_it_is_aborted_is_aborted_all_the_same(
    section: Section,
) -> None:
    await section.declare(unit("LAB/A"), unit("LAB/B", level=1))
    PowerSupply.waits.add("LAB/A")
    operations = section.client.operations
    async with section.hosted():
        order = await section.order(START)
        await until(lambda: PowerSupply.started == ["LAB/A"])
        await operations.AbortOperation(AbortOperationRequest(name=order.name))
        paused = await operations.PauseOperation(PauseOperationRequest(name=order.name))
        assert paused.minor_state == "Aborting"
        PowerSupply.waits.clear()
        ended = await section.ended(order)
        assert (phase(ended), ended.minor_state) == ("ABORTED", "AbortedByPerson")


async def test_what_is_being_taken_back_is_not_tried_again(section: Section) -> None:
    await section.declare(unit("LAB/A"))
    PowerSupply.waits.add("LAB/A")
    async with section.hosted():
        order = await section.order(
            START,
            on_failure=OnFailure.ON_FAILURE_ROLL_BACK,
            step_timeout=Duration(seconds=4),
        )
        await reached(section, order.name, "RollingBack")
        with pytest.raises(Refused) as refused:
            await section.client.operations.RetryOperation(RetryOperationRequest(name=order.name))
        assert refused.value.reason == "NOTHING_TO_RETRY"
        assert "it is being taken back" in str(refused.value)
        PowerSupply.heal()
        ended = await section.ended(order)
        assert ended.minor_state == "TakenBack"
        assert ended.counts.pending == 0
