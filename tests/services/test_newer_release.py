"""A replica beside newer ones: what it does not know does not stop it, and does not fool anybody."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, text

from metadata_server.domain.refused import Refused
from metadata_server.store import schema
from metadata_server.store.store import Store
from tests.services.watched import following, write
from tests.stages.opened_store import opened_store


@pytest.fixture
def store(sqlite_database: str) -> Iterator[Store]:
    with opened_store(sqlite_database) as store:
        yield store


def as_newer(store: Store, *, kind: str, action: str) -> None:
    """A revision of a newer release's making."""
    with store.database.writing.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9001'"))
        connection.execute(text("UPDATE revision SET value = value + 1"))
        now = connection.scalar(text("SELECT value FROM revision"))
        row = {"revision": now, "ordinal": 0, "kind": kind, "key": 7, "action": action}
        connection.execute(insert(schema.history), [row | {"image": "{}"}])
        connection.commit()


async def test_followers_are_told_what_comes_after_a_kind_that_is_not_known(store: Store) -> None:
    async with following(store) as found, found.tailer.subscribe() as subscription:
        as_newer(store, kind="robot", action="CREATED")
        position = await write(store, "V")

        batch = await subscription.next(5)

    assert batch is not None
    assert [change.id for change in batch.changes] == ["V"]
    assert batch.position == position


async def test_followers_are_sent_away_before_what_cannot_be_read(store: Store) -> None:
    async with following(store) as found, found.tailer.subscribe() as subscription:
        as_newer(store, kind="variable", action="MERGED")

        with pytest.raises(Refused) as refused:
            await subscription.next(5)

    assert refused.value.reason == "NEWER_CONTENT"
