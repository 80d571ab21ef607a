"""Where the database stands, seen on a connection that is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.refused import Refused
from metadata_server.store.glance import Glance
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.mariadb import MariaDB, name_in
from tests.stages.opened_store import opened_store


async def written(store: Store, caller: Caller, value: str) -> int:
    def work(unit: UnitOfWork) -> None:
        found = unit.resources.find(Variable, ["A"], lock=True)
        unit.save(replace(found.get("A", Variable(id="A")), value=value))

    return (await store.transact(work, caller=caller)).position.revision


async def test_each_look_sees_what_was_committed_before_it(store: Store, caller: Caller) -> None:
    before = await store.glance()
    for number in range(5):
        revision = await written(store, caller, str(number))
        assert (await store.glance()).revision == revision
    assert (await store.glance()).store_id == before.store_id


async def test_a_connection_that_was_ended_is_opened_again(
    mariadb: MariaDB, mariadb_database: str, caller: Caller
) -> None:
    with opened_store(mariadb_database) as store:
        await store.glance()
        mariadb.end_users(name_in(mariadb_database))
        revision = await written(store, caller, "x")
        assert (await store.glance()).revision == revision


async def test_a_database_that_was_away_is_seen_again(
    mariadb: MariaDB, mariadb_database: str
) -> None:
    with opened_store(mariadb_database) as store:
        before = await store.glance()
        mariadb.kill()
        for _ in range(2):
            with pytest.raises(Refused, match="DATABASE_UNAVAILABLE"):
                await store.glance()
        mariadb.start()
        assert await store.glance() == before


class BrokenOffError(Exception):
    """As an interrupt comes, wherever one happens to be."""


@contextmanager
def breaking_off(store: Store) -> Iterator[None]:
    """Breaks off each look before its answer has been read."""

    def interrupt(*_: Any) -> None:
        raise BrokenOffError

    event.listen(store.database.glancing, "after_cursor_execute", interrupt)
    yield
    event.remove(store.database.glancing, "after_cursor_execute", interrupt)


def test_a_connection_on_which_a_look_was_broken_off_is_not_looked_at_again(store: Store) -> None:
    opened: list[Any] = []
    event.listen(store.database.glancing, "connect", lambda raw, _: opened.append(raw))
    glance = Glance(store.database.glancing)
    before = glance.position()
    with breaking_off(store), pytest.raises(BrokenOffError):
        glance.position()
    assert glance.position() == before
    assert len(opened) == 2
    glance.close()
