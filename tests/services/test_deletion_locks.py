"""A single deletion beside a report of the same unit: which locks it takes first."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, select

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.store.life.statuses import statuses_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until
from tests.store.planned import CALLER, Plan, Unit, build

HOSTED = Unit("A/PS1", "US", State.RUNNING, State.RUNNING, Contact.ALIVE)


@pytest.fixture
def store(mariadb_database: str) -> Iterator[Store]:
    """On SQLite there is one lock for all."""
    with opened_store(mariadb_database) as store:
        build(store, Plan({"US": Contact.ALIVE}, [HOSTED]))
        yield store


async def test_a_deletion_that_waits_for_a_report_holds_up_nobody_else(store: Store) -> None:
    is_reported, is_waited_for, goes_on = (threading.Event() for _ in range(3))

    def report(unit: UnitOfWork) -> None:
        key = unit.keys.find(Kind.CONTROL_UNIT, [HOSTED.id])[HOSTED.id]
        statuses_of(unit, [key], lock=True)
        is_reported.set()
        while not goes_on.wait(0.5):  # MariaDB ends who says nothing for long
            unit.connection.execute(select(1))

    @event.listens_for(store.database.writing, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        is_locking = "control_unit_status" in statement and "FOR UPDATE" in statement
        if is_reported.is_set() and is_locking:
            is_waited_for.set()

    resources = Resources(store)
    async with asyncio.TaskGroup() as tasks:
        try:
            tasks.create_task(store.transact(report))
            await until(is_reported.is_set)
            tasks.create_task(
                resources.delete(CALLER, ControlUnit, HOSTED.id, etag="*", validate_only=False)
            )
            await until(is_waited_for.is_set, what="the deletion, which comes to the status")
            async with asyncio.timeout(10):
                await resources.create(CALLER, Variable(id="A", value="1"), validate_only=False)
        finally:
            goes_on.set()
    with pytest.raises(Refused, match="CONTROL_UNIT_NOT_FOUND"):
        await resources.get(ControlUnit, HOSTED.id)
