"""What an order did is taken back when a step of it fails: sooner or later, and never over what
others have wanted since."""

from collections.abc import AsyncIterator, Iterable

import pytest

from metadata_server.domain.intent.edit import FieldEdit
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.advance import OnFailure
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange
from metadata_server.domain.orchestration.operation import Operation, Phase
from metadata_server.domain.orchestration.operation_step import Step
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.orchestration import taking_back
from metadata_server.store.orchestration.operation_steps import insert_steps
from metadata_server.store.orchestration.operation_tables import operation
from metadata_server.store.orchestration.operations import due_operations
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.given_orders import LATER, SHIFT, GivenOrders, given_orders
from tests.services.test_advancing import replica
from tests.stages.waiting import until

TAKEN = ("ABORTED", "Superseded")
LEVELS = {"U1": 0, "U2": 1, "U3": 1, "U4": 2}


@pytest.fixture
async def orders(store: Store) -> AsyncIterator[GivenOrders]:
    """On a facility with a replica that carries them on."""
    found = await given_orders(store, LEVELS)
    async with replica(store):
        yield found


async def halfway(orders: GivenOrders, *more: str, stage: bool = False) -> Operation:
    """An order of which U1 has come there, and U2 is on its way."""
    units, back = ("U1", "U2", *more), OnFailure.ROLL_BACK
    start = await orders.given(Verb.START, *units, on_failure=back, stage=stage)
    await orders.comes_to(start, "U1", "OnTheWay")
    await orders.report("U1", State.RUNNING)
    await orders.comes_to(start, "U2", "OnTheWay")
    return start


async def done(orders: GivenOrders, verb: Verb, state: State) -> Operation:
    """A later order to U1 that has come to its end."""
    later = await orders.given(verb, "U1", caller=LATER)
    await orders.comes_to(later, "U1", "OnTheWay")
    await orders.report("U1", state)
    return await orders.reaches(later, Phase.COMPLETED)


async def taken_back(orders: GivenOrders, start: Operation) -> None:
    """U2 fails, and the order comes to its end."""
    await orders.report("U2", State.RECOVERABLE_ERROR)
    ended = await orders.reaches(start, Phase.ERROR)
    assert ended.minor_state == "TakenBack"


async def test_a_unit_is_not_taken_back_from_a_later_order_that_is_done(
    orders: GivenOrders,
) -> None:
    start = await halfway(orders)
    unload = await done(orders, Verb.UNLOAD, State.UNLOADED)
    await taken_back(orders, start)
    back = (await orders.steps(start))["U1<"]
    assert (back.state, back.minor_state) == TAKEN
    assert back.message == f"later has ordered UNLOAD in {unload.name}"
    assert back.end_time_us
    assert (await orders.now(start)).counts.aborted == 1
    assert (await orders.declared("U1")).desired_state is State.UNLOADED


async def test_a_unit_is_not_taken_back_from_a_later_order_whose_turn_has_not_come(
    orders: GivenOrders,
) -> None:
    start = await halfway(orders)
    unload = await orders.given(Verb.UNLOAD, "U1", "U4", caller=LATER)
    await orders.comes_to(unload, "U4", "OnTheWay")
    await taken_back(orders, start)
    assert (await orders.told(start))["U1<"] == TAKEN
    assert (await orders.declared("U1")).desired_state is State.RUNNING
    for id in ("U4", "U1"):
        await orders.comes_to(unload, id, "OnTheWay")
        await orders.report(id, State.UNLOADED)
    await orders.reaches(unload, Phase.COMPLETED)


async def test_an_order_that_begins_while_a_way_back_is_written_is_seen(
    orders: GivenOrders, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = await halfway(orders)
    unload = await orders.given(Verb.UNLOAD, "U1", caller=LATER, wait=True)

    def comes_between(unit: UnitOfWork, operation_key: int, steps: Iterable[Step]) -> None:
        insert_steps(unit, operation_key, steps)
        row = operation.update().where(operation.c.key == unload.key)
        unit.connection.execute(row.values(phase=Phase.QUEUED.value))

    monkeypatch.setattr(taking_back, "insert_steps", comes_between)
    await taken_back(orders, start)
    assert (await orders.told(start))["U1<"] == TAKEN
    assert (await orders.declared("U1")).desired_state is State.RUNNING


async def test_a_unit_that_others_have_started_again_stays_started(orders: GivenOrders) -> None:
    start = await halfway(orders)
    await done(orders, Verb.STOP, State.STOPPED)
    again = await done(orders, Verb.START, State.RUNNING)
    await taken_back(orders, start)
    back = (await orders.steps(start))["U1<"]
    assert (back.state, back.minor_state) == TAKEN
    assert back.message.endswith(again.name)
    assert (await orders.declared("U1")).desired_state is State.RUNNING


async def test_a_unit_that_others_have_found_where_they_want_it_stays_there(
    orders: GivenOrders,
) -> None:
    start = await halfway(orders)
    likewise = await orders.given(Verb.START, "U1", caller=LATER)
    assert await orders.told(likewise) == {"U1": ("COMPLETED", "AlreadyThere")}
    await taken_back(orders, start)
    assert (await orders.told(start))["U1<"] == TAKEN
    assert (await orders.declared("U1")).desired_state is State.RUNNING


async def test_a_unit_of_which_somebody_wants_another_state_since_is_not_taken_back(
    orders: GivenOrders,
) -> None:
    start = await halfway(orders)
    await orders.change("U1", desired_state=State.LOADED)
    await taken_back(orders, start)
    back = (await orders.steps(start))["U1<"]
    assert (back.state, back.minor_state) == TAKEN
    assert back.message == "later has told it otherwise: by now wanted LOADED"
    assert (await orders.declared("U1")).desired_state is State.LOADED


async def test_what_others_have_done_that_is_no_state_is_in_no_ones_way(
    orders: GivenOrders,
) -> None:
    start = await halfway(orders)
    await orders.change("U1", description="main")
    edits = (FieldEdit("labels[part]", "arc"),)
    await orders.given(Verb.EDIT, "U1", caller=LATER, edits=edits)
    await orders.given(Verb.UNLOAD, "U1", caller=LATER, wait=True)
    await orders.report("U2", State.RECOVERABLE_ERROR)
    await orders.comes_to(start, "U1<", "OnTheWay")
    unit = await orders.declared("U1")
    assert (unit.desired_state, unit.description) == (State.STOPPED, "main")


async def test_what_was_done_before_an_order_is_taken_back_by_it(orders: GivenOrders) -> None:
    await done(orders, Verb.UNLOAD, State.UNLOADED)
    start = await halfway(orders)
    await orders.report("U2", State.RECOVERABLE_ERROR)
    await orders.comes_to(start, "U1<", "OnTheWay")
    assert (await orders.declared("U1")).desired_state is State.UNLOADED


async def test_what_was_refused_and_never_told_is_not_taken_back(orders: GivenOrders) -> None:
    await orders.given(Verb.STOP, "U2", caller=LATER)  # ended before this is given
    start = await orders.given(Verb.START, "U1", "U2", on_failure=OnFailure.ROLL_BACK)
    await orders.comes_to(start, "U1", "OnTheWay")
    await beam(orders, "U2")
    await orders.report("U1", State.RUNNING)
    await orders.comes_to(start, "U1<", "OnTheWay")
    assert (await orders.told(start))["U2"] == ("ERROR", "Refused")
    assert list(await orders.steps(start)) == ["U1", "U2", "U1<"]
    await orders.report("U1", State.STOPPED)
    ended = await orders.reaches(start, Phase.ERROR)
    assert (ended.minor_state, ended.counts.aborted) == ("TakenBack", 0)


async def paused_and_failed(orders: GivenOrders) -> Operation:
    """An order that was paused when a step of it failed."""
    start = await halfway(orders)
    await orders.steering.pause(SHIFT, start.id, validate_only=False)
    await orders.report("U2", State.RECOVERABLE_ERROR)
    await orders.comes_to(start, "U2", "ERROR")

    async def is_put_aside() -> bool:
        return (await orders.now(start)).replica == ""

    await until(is_put_aside, what="it to wait for people")
    return await orders.now(start)


async def test_what_is_to_be_taken_back_waits_while_an_order_is_paused(orders: GivenOrders) -> None:
    waiting = await paused_and_failed(orders)
    assert (waiting.phase, waiting.minor_state) == (Phase.SUSPENDED, "Paused")
    assert waiting.message == (
        "A step has failed; what was begun is taken back as soon as this is resumed."
    )
    assert (await orders.store.read(due_operations)).value == []
    assert (await orders.declared("U1")).desired_state is State.RUNNING

    await orders.steering.resume(SHIFT, waiting.id, validate_only=False)
    await orders.comes_to(waiting, "U1<", "OnTheWay")
    back = await orders.now(waiting)
    assert (back.phase, back.minor_state, back.message) == (Phase.EXECUTING, "RollingBack", "")
    await orders.report("U1", State.STOPPED)
    assert (await orders.reaches(waiting, Phase.ERROR)).minor_state == "TakenBack"


async def test_what_waits_to_be_taken_back_is_left_as_it_is_where_people_abort_it(
    orders: GivenOrders,
) -> None:
    waiting = await paused_and_failed(orders)
    await orders.steering.abort(SHIFT, waiting.id, validate_only=False)
    assert (await orders.reaches(waiting, Phase.ABORTED)).minor_state == "AbortedByPerson"
    assert list(await orders.steps(waiting)) == ["U1", "U2"]
    assert (await orders.declared("U1")).desired_state is State.RUNNING


async def test_what_waits_to_be_taken_back_may_be_tried_again_instead(
    orders: GivenOrders,
) -> None:
    waiting = await paused_and_failed(orders)
    await orders.steering.retry(SHIFT, waiting.id, validate_only=False)
    await orders.steering.resume(SHIFT, waiting.id, validate_only=False)
    await orders.comes_to(waiting, "U2", "OnTheWay")
    await orders.report("U2", State.RUNNING)
    assert (await orders.reaches(waiting, Phase.COMPLETED)).counts.completed == 2


async def beam(orders: GivenOrders, *protected: str) -> None:
    """A guard forbids orders to units."""
    mode = MachineMode(id="RING", mode="BEAM", modes=("ACCESS", "BEAM"))
    guard = Guard(
        id="beam",
        description="stored beam",
        machine_mode="RING",
        modes=("BEAM",),
        forbids=(GuardedChange.ORDERS,),
        id_prefixes=protected,
    )
    for each in (mode, guard):
        await orders.resources.create(SHIFT, each, validate_only=False)


async def held(orders: GivenOrders, *protected: str) -> Operation:
    """An order of which U1 has come there, U2 is on its way, and U3 is held off by a guard, which
    forbids others, too."""
    back = OnFailure.ROLL_BACK
    start = await orders.given(Verb.START, "U1", "U2", "U3", on_failure=back, stage=True)
    await orders.comes_to(start, "U1", "OnTheWay")
    await beam(orders, "U3", *protected)
    await orders.report("U1", State.RUNNING)
    await orders.comes_to(start, "U2", "OnTheWay")
    return await orders.reaches(start, Phase.HELD)


async def test_an_order_that_is_held_is_taken_back_where_that_is_allowed(
    orders: GivenOrders,
) -> None:
    start = await held(orders)
    await orders.report("U2", State.RECOVERABLE_ERROR)
    await orders.comes_to(start, "U1<", "OnTheWay")
    assert (await orders.told(start))["U3"] == ("ABORTED", "AfterFailure")
    assert (await orders.declared("U1")).desired_state is State.STOPPED
    await orders.report("U1", State.STOPPED)
    assert (await orders.reaches(start, Phase.ERROR)).minor_state == "TakenBack"


async def test_what_a_guard_does_not_let_take_back_is_taken_back_when_it_does(
    orders: GivenOrders,
) -> None:
    start = await held(orders, "U1")
    await orders.report("U2", State.RECOVERABLE_ERROR)

    async def waits_with_its_way_back() -> bool:
        return (await orders.now(start)).message.startswith("U1: guards/beam forbids it")

    await until(waits_with_its_way_back, what="the way back to be held")
    assert (await orders.now(start)).phase is Phase.HELD
    assert (await orders.steps(start))["U1<"].state == "PENDING"
    assert (await orders.declared("U1")).desired_state is State.RUNNING
    await orders.resources.delete(SHIFT, Guard, "beam", etag="*", validate_only=False)
    await orders.comes_to(start, "U1<", "OnTheWay")
    await orders.report("U1", State.STOPPED)
    assert (await orders.reaches(start, Phase.ERROR)).minor_state == "TakenBack"
