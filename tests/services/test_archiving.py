"""Operations that ended long ago keep their outcome, and lose their steps."""

import pytest
from sqlalchemy import event, update

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.filter.vocabulary import OPERATION_STEP
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.template import Template
from metadata_server.domain.names import DECLARED
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.campaign import Campaign
from metadata_server.domain.orchestration.operation import Operation, Order, Phase
from metadata_server.domain.orchestration.operation_step import StepMinor
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.services.orchestration.steering import Steering
from metadata_server.services.past import trimming
from metadata_server.services.past.trimming import DAY_US, Trimming
from metadata_server.store import schema
from metadata_server.store.orchestration import archiving
from metadata_server.store.orchestration.archiving import archive, old_operations
from metadata_server.store.orchestration.operation_tables import operation as table
from metadata_server.store.orchestration.operation_tables import operation_step
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

SHIFT = Caller(principal=Principal("shift"), method="Operations.CreateOperation")


UNITS = ("A", "B", "C")


@pytest.fixture
async def operations(store: Store) -> Operations:
    resources = Resources(store)
    template = Template(id="PS", implementation="PS")
    await resources.create(SHIFT, template, validate_only=False)
    for id in UNITS:
        await resources.create(SHIFT, ControlUnit(id=id, template="PS"), validate_only=False)
    return Operations(store, on_due=lambda: None)


async def ordered(operations: Operations, *units: str, campaign: str = "") -> Operation:
    selection = UnitSelection(ids=units or ("A",))
    order = Order(verb=Verb.START, selection=selection, campaign=campaign)
    return (await operations.create(SHIFT, order, Giving())).value


async def end(store: Store, operation: Operation, *, days_ago: int) -> None:
    """Has an operation have ended, as far as its row tells."""

    def work(unit: UnitOfWork) -> None:
        columns = {"phase": Phase.ERROR.value, "end_time_us": unit.now_us - days_ago * DAY_US}
        mine = table.c.key == operation.key
        unit.connection.execute(update(table).where(mine).values(due_us=None, **columns))
        due_again(unit)

    await store.transact(work)


def due_again(unit: UnitOfWork) -> None:
    """The chores are."""
    unit.connection.execute(update(schema.chore).values(due_us=0))


async def steps(operations: Operations, operation: Operation) -> int:
    asked = AskedList(word=OPERATION_STEP)
    page = await operations.steps(operation.id, asked, states=(), changed_after=0)
    return len(page.value.items)


async def test_only_what_ended_long_ago_is_archived(store: Store, operations: Operations) -> None:
    old, young, running = [await ordered(operations) for _ in range(3)]
    await end(store, old, days_ago=11)
    await end(store, young, days_ago=9)
    assert not await Trimming(store, kept_days={}, request_days=365, operation_days=10).trim()
    archived = (await operations.get(old.id)).value
    assert archived.phase is Phase.ARCHIVED
    assert archived.counts.steps == 1
    assert [await steps(operations, each) for each in (old, young, running)] == [0, 1, 1]


async def test_nothing_else_is_trimmed_while_all_writers_wait(
    store: Store, operations: Operations
) -> None:
    await end(store, await ordered(operations), days_ago=11)
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(store.database.writing, "before_cursor_execute", note)
    kept_days = dict.fromkeys(DECLARED, 0.000001)
    await Trimming(store, kept_days=kept_days, request_days=365, operation_days=10).trim()
    claiming = next(at for at, each in enumerate(statements) if each.startswith("UPDATE revision"))
    before, after = statements[:claiming], statements[claiming:]
    assert any("DELETE FROM operation_step" in each for each in before)
    assert not [each for each in after if each.startswith("DELETE") or "horizon" in each]


async def test_what_is_archived_cannot_be_tried_again(store: Store, operations: Operations) -> None:
    old = await ordered(operations)
    await end(store, old, days_ago=11)
    await Trimming(store, kept_days={}, request_days=365, operation_days=10).trim()
    steering = Steering(store, on_due=lambda: None)
    with pytest.raises(Refused, match="NOTHING_TO_RETRY"):
        await steering.retry(SHIFT, old.id, validate_only=False)


async def test_what_a_campaign_is_summed_up_from_is_kept_while_it_is_there(
    store: Store, operations: Operations
) -> None:
    resources = Resources(store)
    await resources.create(SHIFT, Campaign(id="degauss"), validate_only=False)
    old = await ordered(operations, campaign="degauss")
    await end(store, old, days_ago=11)
    trim = Trimming(store, kept_days={}, request_days=365, operation_days=10).trim
    await trim()
    assert await steps(operations, old) == 1
    await resources.delete(SHIFT, Campaign, "degauss", etag="*", validate_only=False)
    await end(store, old, days_ago=11)
    await trim()
    assert await steps(operations, old) == 0


async def failed(store: Store, operation: Operation) -> None:
    """Has all its steps have failed, and the operation have ended so long ago."""

    def work(unit: UnitOfWork) -> None:
        mine = operation_step.c.operation_key == operation.key
        columns = {"state": StepState.ERROR.value, "minor_state": StepMinor.FAILED.value}
        unit.connection.execute(update(operation_step).where(mine).values(columns))

    await store.transact(work)
    await end(store, operation, days_ago=11)


async def test_what_is_tried_again_while_it_is_about_to_be_archived_is_left_alone(
    store: Store, operations: Operations
) -> None:
    order = await ordered(operations)
    await failed(store, order)
    seen = (await store.read(lambda unit: (old_operations(unit, unit.now_us), unit.now_us))).value
    keys, before_us = seen
    assert keys == [order.key]
    steering = Steering(store, on_due=lambda: None)
    await steering.retry(SHIFT, order.id, validate_only=False)
    await store.transact(lambda unit: archive(unit, keys, before_us))
    assert (await operations.get(order.id)).value.phase is Phase.QUEUED
    assert await steps(operations, order) == 1


async def test_what_has_lost_the_first_of_its_steps_cannot_be_tried_again(
    store: Store, operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (archiving, trimming):
        monkeypatch.setattr(module, "TRIM_ROWS", 2)
    order = await ordered(operations, *UNITS)
    await failed(store, order)
    trim = Trimming(store, kept_days={}, request_days=365, operation_days=10).trim
    assert await trim()
    assert await steps(operations, order) == 1
    steering = Steering(store, on_due=lambda: None)
    with pytest.raises(Refused, match="NOTHING_TO_RETRY"):
        await steering.retry(SHIFT, order.id, validate_only=False)
    await store.transact(due_again)
    assert not await trim()
    assert await steps(operations, order) == 0
