"""What one replica makes of operations that it cannot carry on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.operation import Minor, Operation, Order, Phase
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.intent.resources import Resources
from metadata_server.services.orchestration import advancing
from metadata_server.services.orchestration.advance import Hold, give_up
from metadata_server.services.orchestration.advancing import LEASE_US, Advancing, claimed
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.services.orchestration.steering import Steering
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store import schema
from metadata_server.store.orchestration.operations import due_operations, get_operation
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.lively import CALLER, SUPPLY
from tests.stages.waiting import until


@asynccontextmanager
async def replica(store: Store) -> AsyncIterator[Advancing]:
    """One that carries operations on."""
    tailer = Tailer(store, period_s=0.02)
    found = Advancing(store, tailer, replica="one")
    tasks = [asyncio.create_task(each) for each in (tailer.run(), found.run())]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def give_order(store: Store) -> Callable[[], Awaitable[Operation]]:
    """Has `A` described; the operation as it is."""
    resources = Resources(store)
    await resources.create(CALLER, SUPPLY, validate_only=False)
    await resources.create(CALLER, ControlUnit(id="A", template="Supply"), validate_only=False)
    edit = FieldEdit("description", "described")
    order = Order(verb=Verb.EDIT, selection=UnitSelection(ids=("A",)), edits=(edit,))
    given = await Operations(store, on_due=lambda: None).create(CALLER, order, Giving())

    async def now() -> Operation:
        return (await store.read(lambda unit: get_operation(unit, given.value.id))).value

    return now


async def spell_state(store: Store, word: str) -> None:
    """Writes what people want of units, past all checks."""
    table = schema.control_unit
    await store.transact(
        lambda unit: unit.connection.execute(table.update().values(desired_state=word))
    )


async def test_an_operation_that_fails_again_and_again_waits_for_people(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advancing, "LEASE_US", 50_000)
    operation = await give_order(store)
    await spell_state(store, "NONSENSE")

    async def stopped() -> bool:
        return (await operation()).phase is Phase.SUSPENDED

    async with replica(store) as carrying:
        await until(stopped, within=30, what="the operation to be given up")
        found = await operation()
        assert found.minor_state == Minor.PAUSED
        assert "one could not carry this on, 5 times: " in found.message
        assert (await store.read(due_operations)).value == []

        await spell_state(store, State.UNSPECIFIED)
        steering = Steering(store, on_due=carrying.look)
        resumed = (await steering.resume(CALLER, found.id, validate_only=False)).value
        assert resumed.message == ""

        async def completed() -> bool:
            return (await operation()).phase is Phase.COMPLETED

        await until(completed, within=30, what="the end of the operation")
    unit = (await Resources(store).get(ControlUnit, "A")).value
    assert unit.description == "described"


async def test_an_operation_that_is_given_up_while_it_is_aborted_is_aborted_again(
    store: Store,
) -> None:
    operation = await give_order(store)
    steering = Steering(store, on_due=lambda: None)
    aborting = (await steering.abort(CALLER, (await operation()).id, validate_only=False)).value

    def give_it_up(unit: UnitOfWork) -> None:
        fence = claimed(unit, aborting.key, "one")
        assert fence is not None
        give_up(unit, Hold(aborting.key, fence, "one", LEASE_US), "It fails.")

    await store.transact(give_it_up)
    found = await operation()
    assert (found.phase, found.minor_state) == (Phase.EXECUTING, Minor.ABORTING)
    assert found.message == "It fails. Look at its units, then abort it again."
    assert (await store.read(due_operations)).value == []

    again = (await steering.abort(CALLER, found.id, validate_only=False)).value
    assert (again.minor_state, again.message) == (Minor.ABORTING, "")
    assert (await store.read(due_operations)).value == [found.key]

    async def aborted() -> bool:
        return (await operation()).phase is Phase.ABORTED

    async with replica(store):
        await until(aborted, within=30, what="the end of the operation")
