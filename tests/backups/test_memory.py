"""Whoever makes or reads a backup holds a few documents at once, however many there are."""

import io
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import insert

from metadata_server.services.backups.backup_file import BackupReader, checked
from metadata_server.store.backups.layout import kept_tables
from metadata_server.store.database import Database
from metadata_server.store.schema import history
from metadata_server.store.schema_steps import known_schema
from tests.backups.conftest import Open, backed_up

DOCUMENTS, DOCUMENT = 24, "x" * 500_000
MOST_BYTES = 8_000_000
"""Of 12 MB: two pieces, one of which is encoded, and what is read next."""


@pytest.fixture
def large(database: str, opens: Open) -> Database:
    opened = opens(database)
    with opened.writing.begin() as connection:
        for revision in range(1, DOCUMENTS + 1):
            row = {"revision": revision, "ordinal": 0, "key": 1, "image": DOCUMENT}
            connection.execute(insert(history).values(**row, kind="k", action="a"))
    kept_tables(known_schema())  # what is found out once is no part of it
    return opened


@contextmanager
def held_at_once() -> Iterator[list[int]]:
    """The most bytes that were held meanwhile, once it is over."""
    found: list[int] = []
    tracemalloc.start()
    try:
        yield found
        found.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def test_large_documents_are_written_and_read_a_few_at_a_time(large: Database) -> None:
    with held_at_once() as writing:
        backup = backed_up(large)
    with held_at_once() as reading:
        found = checked(BackupReader(io.BytesIO(backup), "it"))
    assert found.trailer.rows["history"] == DOCUMENTS
    assert writing[0] < MOST_BYTES
    assert reading[0] < MOST_BYTES
