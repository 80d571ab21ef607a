"""Orders with edits of a newer release's making: a step that this release cannot read fails alone,
and is in no one's way."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func

from metadata_server.domain.intent.edit import FieldEdit
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.advance import OnFailure
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.orchestration.operation import Operation, Phase, UnitEdits
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.store.orchestration.operation_tables import operation_step
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.given_orders import LATER, SHIFT, GivenOrders, given_orders
from tests.services.test_advancing import replica

TAKEN = ("ABORTED", "Superseded")
LEVELS = {"U1": 0, "U2": 1, "U3": 0, "U4": 1, "U5": 1}


@pytest.fixture
async def orders(store: Store) -> AsyncIterator[GivenOrders]:
    """On a facility with a replica that carries them on."""
    found = await given_orders(store, LEVELS)
    mode = MachineMode(id="RING", mode="BEAM", modes=("ACCESS", "BEAM"))
    await found.resources.create(SHIFT, mode, validate_only=False)
    await guarded(found, "elsewhere", "W")  # so that there is something to judge by
    async with replica(store):
        yield found


async def edited(orders: GivenOrders, *ids: str, stage: bool = False) -> Operation:
    """An order to edit units, each with edits of its own."""
    own = tuple(UnitEdits(id, (FieldEdit("labels[part]", f"arc of {id}"),)) for id in ids)
    return await orders.given(
        Verb.EDIT, unit_edits=own, stage=stage, caller=LATER, on_failure=OnFailure.CONTINUE
    )


async def become_newer(orders: GivenOrders, edit: Operation, id: str) -> None:
    """The edits of a step are none that this release understands."""
    step = operation_step.c

    def rewrite(unit: UnitOfWork) -> None:
        row = operation_step.update().where(step.operation_key == edit.key, step.control_unit == id)
        body = func.replace(step.body, "labels[part]", "robots[part]")
        assert unit.connection.execute(row.values(body=body)).rowcount == 1

    await orders.store.transact(rewrite)


async def guarded(orders: GivenOrders, id: str, *ids: str) -> None:
    """A guard forbids to change units."""
    guard = Guard(
        id=id,
        description="stored beam",
        machine_mode="RING",
        modes=("BEAM",),
        forbids=tuple(GuardedChange),
        id_prefixes=ids,
    )
    await orders.resources.create(SHIFT, guard, validate_only=False)


async def test_a_held_step_that_cannot_be_read_fails_alone(orders: GivenOrders) -> None:
    edit = await edited(orders, "U3", "U4", "U5", stage=True)
    await orders.comes_to(edit, "U3", "OnTheWay")
    await guarded(orders, "beam", "U4", "U5")
    await orders.report("U3", State.STOPPED)
    await orders.reaches(edit, Phase.HELD)
    await become_newer(orders, edit, "U4")
    await orders.resources.delete(SHIFT, Guard, "beam", etag="*", validate_only=False)
    failed = await orders.comes_to(edit, "U4", "ERROR", "Refused")
    assert "robots[part]" in failed.message
    await orders.comes_to(edit, "U5", "OnTheWay")
    assert (await orders.declared("U5")).labels["part"] == "arc of U5"


async def test_an_order_that_cannot_be_read_waits_for_people_once_guards_let_it_go(
    orders: GivenOrders,
) -> None:
    await guarded(orders, "beam", "U1")
    edit = await edited(orders, "U1", stage=True)
    assert edit.phase is Phase.HELD
    await become_newer(orders, edit, "U1")
    await orders.resources.delete(SHIFT, Guard, "beam", etag="*", validate_only=False)
    waiting = await orders.reaches(edit, Phase.PENDING)
    assert "robots[part]" in waiting.message


async def test_a_later_order_that_cannot_be_read_has_taken_its_unit_over(
    orders: GivenOrders,
) -> None:
    back = OnFailure.ROLL_BACK
    start = await orders.given(Verb.START, "U1", "U2", on_failure=back)
    await orders.comes_to(start, "U1", "OnTheWay")
    await orders.report("U1", State.RUNNING)
    await orders.comes_to(start, "U2", "OnTheWay")
    edit = await edited(orders, "U1")
    await orders.comes_to(edit, "U1", "OnTheWay")
    await become_newer(orders, edit, "U1")
    await orders.report("U2", State.RECOVERABLE_ERROR)
    await orders.reaches(start, Phase.ERROR)
    assert (await orders.told(start))["U1<"] == TAKEN
    assert (await orders.declared("U1")).desired_state is State.RUNNING


async def test_a_step_that_cannot_be_read_gives_way_to_later_orders(orders: GivenOrders) -> None:
    edit = await edited(orders, "U1")
    await orders.comes_to(edit, "U1", "OnTheWay")
    await become_newer(orders, edit, "U1")
    start = await orders.given(Verb.START, "U1", caller=SHIFT)
    assert (await orders.told(edit))["U1"] == TAKEN
    await orders.comes_to(start, "U1", "OnTheWay")
