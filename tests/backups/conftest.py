"""Databases beside the one under test, and backups in memory."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from metadata_server.domain.change import Caller, Principal
from metadata_server.services.backups.backing_up import back_up
from metadata_server.services.backups.restoring import Restored, restore
from metadata_server.store.backups.layout import kept_tables
from metadata_server.store.database import Database, open_database
from metadata_server.store.schema_steps import known_schema
from tests.stages.mariadb import MariaDB

CALLER = Caller(principal=Principal("restorer"), method="mds restore", reason="a test")
Open = Callable[[str], Database]
Rows = Mapping[str, Sequence[tuple[Any, ...]]]


@pytest.fixture
def opens() -> Iterator[Open]:
    """Opens databases, and closes them when the test is over."""
    with ExitStack() as stack:

        def open_(url: str) -> Database:
            database = open_database(url)
            stack.callback(database.dispose)
            return database

        yield open_


@pytest.fixture
def other_family(request: pytest.FixtureRequest, database: str) -> str:
    """URL of a database without tables, of the kind that `database` is not."""
    kind = "mariadb" if database.startswith("sqlite") else "sqlite"
    url: str = request.getfixturevalue(f"empty_{kind}_database")
    return url


@contextmanager
def another_mariadb(mariadb: MariaDB) -> Iterator[str]:
    name = mariadb.create_database()
    yield mariadb.url(name)
    mariadb.drop_database(name)


def backed_up(database: Database) -> bytes:
    out = io.BytesIO()
    back_up(database, out, product="test", told=lambda *_: None)
    return out.getvalue()


def restored(database: Database, backup: bytes, *, keep_still: bool = False) -> Restored:
    return restore(
        database,
        io.BytesIO(backup),
        "the backup",
        caller=CALLER,
        told=lambda *_: None,
        keep_still=keep_still,
    )


def rows_of(database: Database) -> Rows:
    """Everything that a backup holds of a database."""
    with database.reading.connect() as connection:
        found = {}
        for table in kept_tables(known_schema()):
            named = table.named()
            query = named.select().order_by(*(named.c[name] for name in table.key))
            found[table.name] = [tuple(row) for row in connection.execute(query)]
        return found
