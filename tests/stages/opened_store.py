"""A store on an empty database, with the schema of this release."""

from collections.abc import Iterator
from contextlib import contextmanager

from metadata_server.store.database import open_database
from metadata_server.store.migration import migrate
from metadata_server.store.store import Store


@contextmanager
def opened_store(url: str) -> Iterator[Store]:
    database = open_database(url)
    migrate(database)
    store = Store(database)
    try:
        yield store
    finally:
        store.close()
