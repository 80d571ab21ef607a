"""A registration beside what others do to the same unit server meanwhile."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, func, select

from metadata_server.domain.intent.bundle import Item, OnConflict
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.resources import Resources
from metadata_server.store import schema
from metadata_server.store.life.endings import end_now
from metadata_server.store.store import Store
from tests.services.lively import CALLER, Facility, facility
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until

CLAIM = "UPDATE revision"
LOCK = "FROM unit_server_status"
STATUS = "AS has_conditions"


@pytest.fixture
async def lab(mariadb_database: str) -> AsyncIterator[Facility]:
    """On SQLite one writes after the other."""
    with opened_store(mariadb_database) as store:
        async with facility(store) as found:
            yield found


@pytest.fixture
def other(mariadb_database: str) -> Iterator[Store]:
    """The store of another replica."""
    with opened_store(mariadb_database) as store:
        yield store


@contextmanager
def paused_before(store: Store, statement: str) -> Iterator[threading.Event]:
    """Pauses the first transaction that comes to a statement, until this is left; an event that
    says that one has."""
    is_there, goes_on = threading.Event(), threading.Event()

    def pause(_connection: Any, _cursor: Any, said: str, *_: Any) -> None:
        if statement in said and not is_there.is_set():
            is_there.set()
            goes_on.wait(4)

    event.listen(store.database.writing, "before_cursor_execute", pause)
    try:
        yield is_there
    finally:
        goes_on.set()


async def sessions(store: Store) -> int:
    query = select(func.count()).select_from(schema.lease)
    return int((await store.read(lambda unit: unit.connection.execute(query).scalar_one())).value)


async def deleted(store: Store, *, in_a_bundle: bool) -> None:
    if in_a_bundle:
        item = Item.removal(Kind.UNIT_SERVER, "US")
        how = Applying(on_conflict=OnConflict.REPLACE)
        applied = (await Bundles(store).apply(CALLER, [item], how, ApplyProgress())).value
        (decision,) = applied.decisions
        if decision.problems:
            raise Refused.wrong_fields(decision.problems)
    else:
        await Resources(store).delete(CALLER, UnitServer, "US", etag="*", validate_only=False)


async def test_what_is_deleted_while_it_registers_is_not_declared(
    lab: Facility, other: Store
) -> None:
    with paused_before(lab.store, CLAIM) as is_there:
        registering = asyncio.create_task(lab.register())
        await until(is_there.is_set, what="the registration, which is about to be written")
        await deleted(other, in_a_bundle=False)
    with pytest.raises(Refused, match="UNDECLARED"):
        await registering
    assert await sessions(other) == 0


@pytest.mark.parametrize("in_a_bundle", [False, True])
async def test_what_registers_while_it_is_deleted_stays(
    lab: Facility, other: Store, *, in_a_bundle: bool
) -> None:
    with paused_before(other, CLAIM) as is_there:
        deleting = asyncio.create_task(deleted(other, in_a_bundle=in_a_bundle))
        await until(is_there.is_set, what="the deletion, which is about to be written")
        registered = await lab.register()
    with pytest.raises(Refused, match="STILL_IN_USE"):
        await deleting
    assert (await lab.held())[0].id == registered.session.id


async def test_sessions_are_looked_for_once_for_all_that_is_deleted_together(store: Store) -> None:
    """The revision is claimed by then, and everybody else who writes waits."""
    asked = 0

    @event.listens_for(store.database.writing, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal asked
        asked += "FROM lease" in statement

    async def apply(*items: Item) -> None:
        how = Applying(on_conflict=OnConflict.REPLACE)
        await Bundles(store).apply(CALLER, items, how, ApplyProgress())

    servers = [UnitServer(id=f"US/{number}") for number in range(3)]
    await apply(*(Item("", each.name, each) for each in servers))
    await apply(*(Item.removal(Kind.UNIT_SERVER, each.id) for each in servers))
    assert asked == 2, "before the revision is claimed, and after it"


async def test_a_lease_that_runs_out_while_its_registration_waits_is_not_told_as_a_whole_one(
    lab: Facility, other: Store
) -> None:
    first = await lab.register()
    with paused_before(lab.store, LOCK) as is_there:
        registering = asyncio.create_task(lab.register())
        await until(is_there.is_set, what="the registration, which waits for a lock")
        running_out = schema.lease.update().values(end_us=other.database.now_us)
        await other.transact(lambda unit: unit.connection.execute(running_out))
    again = await registering
    assert again.session.id != first.session.id
    session, lease = await lab.held()
    assert (session.id, lease.ended) == (again.session.id, False)


@pytest.mark.parametrize("was_loaded", [False, True])
async def test_what_goes_to_another_unit_server_while_its_own_registers_is_not_told_to_both(
    lab: Facility, other: Store, *, was_loaded: bool
) -> None:
    await lab.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
    await lab.declare("PS1")
    if was_loaded:
        last = (await lab.register()).session
        await lab.store.transact(lambda unit: end_now(unit, last.id, EndReason.LEASE_ENDED))
    moves = replace(lab, resources=Resources(other))
    # Until a unit was loaded, it has no status whose lock would keep the move waiting.
    with paused_before(lab.store, STATUS if was_loaded else CLAIM) as is_there:
        registering = asyncio.create_task(lab.register(incarnation="next"))
        await until(is_there.is_set, what="the registration, which knows its units")
        await moves.change("PS1", unit_server="OTHER")
    assert (await registering).assignments == ()
