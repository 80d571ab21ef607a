"""Work that replicas share is taken by one of them, whatever the database's clock does."""

import pytest
from sqlalchemy import Table, update

from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.template import Template
from metadata_server.domain.orchestration.operation import Order
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.services.intent.resources import Resources
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.store.deliveries.webhook_tables import webhook_course
from metadata_server.store.deliveries.webhooks import claim_webhook, due_webhooks, write_course
from metadata_server.store.orchestration.operation_tables import operation as operations
from metadata_server.store.orchestration.operations import (
    Fenced,
    claim_operation,
    due_operations,
    keep_operation,
)
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.lively import CALLER

LEASE_US = 4_000_000
HOUR_US = 3_600_000_000


async def set_clock_back(store: Store, table: Table) -> None:
    """Makes all leases lie an hour ahead."""
    later = update(table).values(due_us=table.c.due_us + HOUR_US)
    await store.transact(lambda unit: unit.connection.execute(later))


async def test_an_operation_held_by_a_clock_that_was_ahead_is_taken_up(store: Store) -> None:
    resources = Resources(store)
    await resources.create(CALLER, Template(id="PS", implementation="PS"), validate_only=False)
    await resources.create(CALLER, ControlUnit(id="A", template="PS"), validate_only=False)
    order = Order(verb=Verb.START, selection=UnitSelection(ids=("A",)))
    given = await Operations(store, on_due=lambda: None).create(CALLER, order, Giving())
    key = given.value.key

    async def claimed(replica: str) -> int | None:
        def work(unit: UnitOfWork) -> int | None:
            is_due = key in due_operations(unit)
            fence = claim_operation(unit, key, replica=replica, lease_us=LEASE_US)
            assert is_due is (fence is not None)
            return fence

        return (await store.transact(work)).value

    first = await claimed("first")
    assert first is not None
    assert await claimed("second") is None, "the first holds it"
    await set_clock_back(store, operations)
    assert await claimed("second") is not None
    assert await claimed("first") is None, "the second holds it"
    with pytest.raises(Fenced):
        await store.transact(lambda unit: keep_operation(unit, key, first, lease_us=LEASE_US))


async def test_a_webhook_held_by_a_clock_that_was_ahead_is_taken_up(store: Store) -> None:
    hook = Webhook(id="hook", url="https://example.org/")
    key = (await Resources(store).create(CALLER, hook, validate_only=False)).value.meta.key

    async def claimed(replica: str) -> int | None:
        def work(unit: UnitOfWork) -> int | None:
            is_due = key in due_webhooks(unit)
            fence = claim_webhook(unit, key, replica=replica, lease_us=LEASE_US)
            assert is_due is (fence is not None)
            return fence

        return (await store.transact(work)).value

    first = await claimed("first")
    assert first is not None
    assert await claimed("second") is None, "the first holds it"
    await set_clock_back(store, webhook_course)
    assert await claimed("second") is not None
    assert await claimed("first") is None, "the second holds it"
    with pytest.raises(Fenced):
        await store.transact(lambda unit: write_course(unit, key, first, attempts=1))
