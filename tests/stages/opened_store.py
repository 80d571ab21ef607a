"""A store on an empty database, with the schema of this release."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Dialect

from metadata_server.store.database import Database, open_database
from metadata_server.store.store import Store
from tests.stages.layout import bring_up

MOST = 1500
"""All tests of services and store have 5,700, in some 200 MB; those of a file share theirs."""


class Compiled(dict[Any, Any]):
    """Statements as they were compiled for any store on databases of one kind.

    SQLAlchemy keeps them for each engine, by its dialect. Each test has engines of its own: without
    this, it compiles each statement anew, a fifth of what tests of services take.
    """

    def get(self, key: tuple[Dialect, Any], default: Any = None) -> Any:
        return super().get(of_its_kind(key), default)

    def __setitem__(self, key: tuple[Dialect, Any], compiled: Any) -> None:
        if len(self) >= MOST:
            self.clear()
        super().__setitem__(of_its_kind(key), compiled)


def of_its_kind(key: tuple[Dialect, Any]) -> tuple[Any, ...]:
    dialect, *statement = key
    return dialect.name, dialect.server_version_info, *statement


COMPILED = Compiled()


def share_compiled(database: Database) -> None:
    for engine in (database.writing, database.reading, database.glancing):
        engine.update_execution_options(compiled_cache=COMPILED)


@contextmanager
def opened_store(url: str) -> Iterator[Store]:
    store = Store(database := open_database(url))
    share_compiled(database)
    try:
        bring_up(database)
        yield store
    finally:
        store.close()
