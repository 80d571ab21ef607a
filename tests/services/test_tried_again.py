"""A step that waits to be tried again gives way to whoever wants something else of its unit."""

import pytest

from metadata_server.domain.intent.edit import FieldEdit
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Operation, Phase
from metadata_server.domain.orchestration.operation_step import StepMinor
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.orchestration.step_begin import Begun, begin
from metadata_server.store.orchestration.operation_steps import set_steps, steps_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.given_orders import SHIFT, GivenOrders
from tests.services.test_advancing import replica
from tests.store.planned import Plan, Unit, build

TAKEN = ("ABORTED", "Superseded")
WAITS = {"state": StepState.EXECUTING.value, "minor_state": StepMinor.WAITING_TO_RETRY.value}


@pytest.fixture
def orders(store: Store) -> GivenOrders:
    stands = Unit("U1", "US", State.STOPPED, State.STOPPED, Contact.ALIVE)
    build(store, Plan({"US": Contact.ALIVE}, [stands]))
    return GivenOrders(store)


async def begun_now(orders: GivenOrders, operation: Operation) -> Begun:
    """What becomes of the steps when they begin."""

    def work(unit: UnitOfWork) -> Begun:
        return begin(unit, operation.key, operation.order, steps_of(unit, operation.key))

    return (await orders.store.transact(work, caller=SHIFT)).value


async def tried_once(orders: GivenOrders, operation: Operation) -> None:
    """Its steps have begun once, and wait to be tried again."""
    assert (await begun_now(orders, operation)).under_way

    def work(unit: UnitOfWork) -> None:
        set_steps(unit, operation.key, [0], was=(StepState.EXECUTING,), **WAITS)

    await orders.store.transact(work)


async def failed_once(orders: GivenOrders) -> Operation:
    """An order to start that has failed once, and that waits for its next try."""
    start = await orders.given(Verb.START, "U1", most_attempts=3)
    async with replica(orders.store):
        await orders.comes_to(start, "U1", "OnTheWay")
        await orders.report("U1", State.RECOVERABLE_ERROR)
        await orders.comes_to(start, "U1", "WaitingToRetry")
    return start


async def test_one_that_is_found_superseded_when_it_is_due_is_not_tried_again(
    orders: GivenOrders,
) -> None:
    start = await failed_once(orders)
    recover_count = (await orders.declared("U1")).recover_count
    await orders.change("U1", desired_state=State.STOPPED)
    await orders.tried_again_now(start)
    async with replica(orders.store):
        ended = await orders.reaches(start, Phase.ABORTED)
    assert ended.minor_state == "Superseded"
    assert await orders.told(start) == {"U1": TAKEN}
    unit = await orders.declared("U1")
    assert (unit.desired_state, unit.recover_count) == (State.STOPPED, recover_count)


async def test_one_that_has_come_there_when_it_is_due_is_not_told_again(
    orders: GivenOrders,
) -> None:
    start = await failed_once(orders)
    generation = (await orders.declared("U1")).meta.generation
    await orders.report("U1", State.RUNNING)
    await orders.tried_again_now(start)
    async with replica(orders.store):
        await orders.reaches(start, Phase.COMPLETED)
    step = (await orders.steps(start))["U1"]
    assert (step.attempts, step.minor_state) == (1, "Reached")
    assert (await orders.declared("U1")).meta.generation == generation


async def test_one_that_nobody_stands_against_is_tried_again(orders: GivenOrders) -> None:
    start = await failed_once(orders)
    await orders.change("U1", description="the mains were off")
    await orders.tried_again_now(start)
    async with replica(orders.store):
        await orders.comes_to(start, "U1", "OnTheWay")
    assert (await orders.steps(start))["U1"].attempts == 2
    assert (await orders.declared("U1")).recover_count == 1


async def test_what_was_wanted_before_an_order_is_not_overwritten_by_its_next_try(
    orders: GivenOrders,
) -> None:
    start = await orders.given(Verb.START, "U1", most_attempts=3)
    await tried_once(orders, start)
    await orders.change("U1", desired_state=State.STOPPED)
    ended = (await begun_now(orders, start)).ended[0]
    assert (ended.state, ended.minor_state) == TAKEN
    assert ended.message == "later has told it otherwise: by now wanted STOPPED"
    assert (await orders.declared("U1")).desired_state is State.STOPPED


async def test_what_people_have_tried_again_goes_from_what_was_wanted_before(
    orders: GivenOrders,
) -> None:
    start = await orders.given(Verb.START, "U1")
    async with replica(orders.store):
        await orders.comes_to(start, "U1", "OnTheWay")
        await orders.report("U1", State.RECOVERABLE_ERROR)
        await orders.reaches(start, Phase.ERROR)
    await orders.change("U1", desired_state=State.STOPPED)
    await orders.steering.retry(SHIFT, start.id, validate_only=False)
    assert (await begun_now(orders, start)).under_way
    assert (await orders.declared("U1")).desired_state is State.RUNNING


async def test_a_field_that_was_changed_since_is_not_overwritten_by_the_next_try_of_an_edit(
    orders: GivenOrders,
) -> None:
    edits = (FieldEdit("description", "main"), FieldEdit("recover_count", "+1"))
    edit = await orders.given(Verb.EDIT, "U1", most_attempts=3, edits=edits)
    await tried_once(orders, edit)
    await orders.change("U1", description="spare")
    ended = (await begun_now(orders, edit)).ended[0]
    assert (ended.state, ended.minor_state) == TAKEN
    assert ended.message == "later has told it otherwise: what it edits has been changed since"
    unit = await orders.declared("U1")
    assert (unit.description, unit.recover_count) == ("spare", 1)


async def test_an_edit_is_tried_again_where_other_fields_were_changed(orders: GivenOrders) -> None:
    edits = (FieldEdit("description", "main"), FieldEdit("recover_count", "+1"))
    edit = await orders.given(Verb.EDIT, "U1", most_attempts=3, edits=edits)
    await tried_once(orders, edit)
    await orders.change("U1", level=2)
    assert (await begun_now(orders, edit)).under_way
    assert (await orders.declared("U1")).recover_count == 2
