"""Orders of a script, and what comes of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.edit_pb2 import UnitSelection
from mds.v1.operation_pb2 import Operation, OperationPhase, OrderVerb
from mds.v1.operation_step_pb2 import StepState
from mds.v1.state_pb2 import State
from mds.v1.template_pb2 import Template
from mds.v1.unit_server_pb2 import UnitServer

from control_units.client import Client, NotFound, NotReached, SyncClient
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

START, STOP = OrderVerb.ORDER_VERB_START, OrderVerb.ORDER_VERB_STOP
DEADLINE_S = 30
SECTION = UnitSelection(id_prefix="LAB/")


@pytest.fixture
async def section(client: Client) -> None:
    """Two units of one unit server that does not run."""
    units = [
        ControlUnit(
            name=f"control_units/LAB/{id}", template="templates/T", unit_server="unit_servers/LAB"
        )
        for id in "AB"
    ]
    template = Template(name="templates/T", implementation="T")
    await client.apply([template, UnitServer(name="unit_servers/LAB"), *units])


@pytest.fixture
async def running(section: None, server: Replica, tmp_path: Path) -> AsyncIterator[None]:
    """The same, with its unit server."""
    environment = {"MDS_ADDRESS": server.address, "MDS_STATE_FOLDER": str(tmp_path / "state")}
    simulated = Program.mds(
        "simulate", "LAB", log=tmp_path / "simulate.log", environment=environment
    )
    simulated.start()
    yield
    simulated.clear()


async def test_an_order_is_done_when_all_units_have_come_there(
    running: None, client: Client
) -> None:
    statuses = client.control_unit_statuses
    await until(lambda: statuses.get("LAB/B"), within=DEADLINE_S)
    order = await client.operations.order(START, SECTION, reason="a test")
    done = await order.done(timeout=DEADLINE_S)
    assert (done.counts.completed, done.author != "") == (2, True)
    assert (await statuses.get("LAB/A")).state == State.STATE_RUNNING
    again = await client.operations.follow(order.id)
    assert await again.done(timeout=DEADLINE_S) == done


async def test_an_operation_is_seen_on_its_way(running: None, client: Client) -> None:
    order = await client.operations.order(START, ["LAB/A"], wait=True)
    phases = []
    async for operation in order:
        phases.append(operation.phase)
        if operation.phase == OperationPhase.OPERATION_PHASE_PENDING:
            await order.resume()
    assert phases[0] == OperationPhase.OPERATION_PHASE_PENDING
    assert phases[-1] == OperationPhase.OPERATION_PHASE_COMPLETED


async def test_what_did_not_come_there_is_named(section: None, client: Client) -> None:
    settings = Operation()
    settings.step_timeout.FromMilliseconds(200)
    order = await client.operations.order(START, SECTION, settings=settings)
    with pytest.raises(NotReached) as ended:
        await order.done(timeout=DEADLINE_S)
    assert {step.control_unit for step in ended.value.failed} <= {
        "control_units/LAB/A",
        "control_units/LAB/B",
    }
    assert ended.value.failed
    states = [step.state async for step in client.operations.steps(order.id)]
    started = client.operations.steps(order.id, filter="started<1h", order_by="position desc")
    positions = [step.position async for step in started]
    assert positions == sorted(positions, reverse=True)
    assert len(states) == 2
    assert StepState.STEP_STATE_ERROR in states


async def test_an_order_that_is_given_up_is_no_longer_waited_for(
    section: None, client: Client
) -> None:
    order = await client.operations.order(STOP, SECTION, wait=True)
    with pytest.raises(TimeoutError):
        await order.done(timeout=0.2)
    await order.abort(reason="a change of mind")
    with pytest.raises(NotReached, match="ABORTED"):
        await order.done(timeout=DEADLINE_S)
    with pytest.raises(NotFound):
        await client.operations.follow("none")


def test_a_script_gives_orders_without_awaiting(running: None, server: Replica) -> None:
    with SyncClient(server.address) as client:
        order = client.operations.order(START, "LAB/A", reason="a test")
        assert order.done(timeout=DEADLINE_S).counts.completed == 1
        assert [operation.name for operation in order][-1] == order.operation.name
