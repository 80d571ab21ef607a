"""When the time of an operation is over nothing more of it begins, whatever held it up."""

import time

import pytest
from sqlalchemy import update

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.template import Template
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.operation import Minor, Operation, Order, Phase
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.intent.resources import Resources
from metadata_server.services.orchestration.advance import Advance, Hold
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.services.orchestration.steering import Steering
from metadata_server.store.orchestration.operation_steps import steps_of
from metadata_server.store.orchestration.operation_tables import operation as table
from metadata_server.store.orchestration.operations import claim_operation, due_operations
from metadata_server.store.store import Store
from metadata_server.store.traces import NoTraces
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.waiting import until

SHIFT = Caller(principal=Principal("shift"), method="Operations.CreateOperation")
MINUTE_US = 60_000_000
TIMED_OUT, OUT_OF_TIME = ("ABORTED", "TimedOut"), ("ABORTED", "OutOfTime")


@pytest.fixture
async def operations(store: Store) -> Operations:
    resources = Resources(store)
    template = Template(id="PS", implementation="PS")
    await resources.create(SHIFT, template, validate_only=False)
    for id in ("A", "B"):
        await resources.create(SHIFT, ControlUnit(id=id, template="PS"), validate_only=False)
    return Operations(store, on_due=lambda: None)


@pytest.fixture
def steering(store: Store) -> Steering:
    return Steering(store, on_due=lambda: None)


async def ordered(
    operations: Operations, *, timeout_us: int = 10 * MINUTE_US, wait: bool = False
) -> Operation:
    selection = UnitSelection(ids=("A", "B"))
    order = Order(verb=Verb.START, selection=selection, timeout_us=timeout_us)
    return (await operations.create(SHIFT, order, Giving(wait=wait))).value


async def let_time_pass(store: Store, operation: Operation, minutes: int) -> None:
    """Has an operation have been given earlier, as far as its deadline tells."""

    def work(unit: UnitOfWork) -> None:
        earlier = {"deadline_us": table.c.deadline_us - minutes * MINUTE_US}
        unit.connection.execute(update(table).where(table.c.key == operation.key).values(earlier))

    await store.transact(work)


async def taken_up(store: Store, operation: Operation) -> Advance:
    """What carries the operation on, as it is loaded by a replica that has claimed it."""

    def work(unit: UnitOfWork) -> int | None:
        return claim_operation(unit, operation.key, replica="replica-1", lease_us=MINUTE_US)

    fence = (await store.transact(work)).value
    assert fence is not None
    hold = Hold(operation.key, fence, "replica-1", MINUTE_US)
    advance = Advance(store, hold, NoTraces())
    await advance.load()
    return advance


async def assert_nothing_began(store: Store, operations: Operations, id: str) -> None:
    ended = (await operations.get(id)).value
    assert (ended.phase, ended.minor_state) == TIMED_OUT
    steps = (await store.read(lambda unit: steps_of(unit, ended.key))).value
    assert [(each.state, each.minor_state, each.attempts) for each in steps] == [
        (*OUT_OF_TIME, 0),
        (*OUT_OF_TIME, 0),
    ]
    units = (await store.read(lambda unit: unit.resources.where(ControlUnit))).value
    assert {each.desired_state for each in units} == {State.UNSPECIFIED}


async def test_what_is_taken_up_after_its_deadline_begins_nothing(
    store: Store, operations: Operations
) -> None:
    order = await ordered(operations)
    await let_time_pass(store, order, 60)
    await (await taken_up(store, order)).run()
    await assert_nothing_began(store, operations, order.id)


async def test_what_is_resumed_after_its_deadline_begins_nothing(
    store: Store, operations: Operations, steering: Steering
) -> None:
    order = await ordered(operations)
    await steering.pause(SHIFT, order.id, validate_only=False)
    await let_time_pass(store, order, 60)
    resumed = (await steering.resume(SHIFT, order.id, validate_only=False)).value
    assert resumed.deadline_us == order.deadline_us - 60 * MINUTE_US
    await (await taken_up(store, order)).run()
    await assert_nothing_began(store, operations, order.id)


async def test_what_is_written_after_the_deadline_though_asked_for_before_begins_nothing(
    store: Store, operations: Operations
) -> None:
    """A transaction may have to wait for its turn."""
    order = await ordered(operations, timeout_us=2_000_000)
    advance = await taken_up(store, order)
    await until(lambda: time.time() * 1e6 > order.deadline_us, what="the deadline to have passed")
    await advance.run()
    await assert_nothing_began(store, operations, order.id)


async def test_the_time_of_what_is_to_wait_begins_when_it_is_resumed(
    store: Store, operations: Operations, steering: Steering
) -> None:
    order = await ordered(operations, wait=True)
    assert not order.deadline_us
    resumed = (await steering.resume(SHIFT, order.id, validate_only=False)).value
    assert resumed.deadline_us >= order.update_time_us + 10 * MINUTE_US


async def test_what_waits_is_left_alone_when_orders_of_others_take_units_from_it(
    store: Store, operations: Operations, steering: Steering
) -> None:
    order = await ordered(operations, wait=True)
    await let_time_pass(store, order, 60)  # as releases before wrote it
    later = Order(verb=Verb.START, selection=UnitSelection(ids=("A",)))
    taking = (await operations.create(SHIFT, later, Giving())).value
    assert (await store.read(due_operations)).value == [taking.key]
    waits = (await operations.get(order.id)).value
    assert (waits.phase, waits.counts.open) == (Phase.PENDING, 1)
    resumed = (await steering.resume(SHIFT, order.id, validate_only=False)).value
    assert resumed.deadline_us >= order.update_time_us + 10 * MINUTE_US


async def test_what_waits_ends_when_nothing_is_left_of_it(
    store: Store, operations: Operations, steering: Steering
) -> None:
    order = await ordered(operations, wait=True)
    await steering.skip(SHIFT, order.id, ["B"], validate_only=False)
    assert (await store.read(due_operations)).value == []
    await steering.skip(SHIFT, order.id, ["A"], validate_only=False)
    await (await taken_up(store, order)).run()
    ended = (await operations.get(order.id)).value
    assert (ended.phase, ended.minor_state) == (Phase.COMPLETED, Minor.DONE)
