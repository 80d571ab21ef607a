"""A store on an empty database, with the schema of this release."""

from collections.abc import Iterator
from contextlib import contextmanager

from metadata_server.store.database import open_database
from metadata_server.store.store import Store
from tests.stages.layout import bring_up


@contextmanager
def opened_store(url: str) -> Iterator[Store]:
    store = Store(database := open_database(url))
    try:
        bring_up(database)
        yield store
    finally:
        store.close()
