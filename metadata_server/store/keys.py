"""Ids to keys and back, as one transaction sees them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.engine import Connection

from metadata_server.domain.names import Kind
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.schema import name

T = TypeVar("T")
BATCH = 500
TUPLES = 100
"""For how many keys of several columns a statement asks: each is a condition by itself."""


def new_key() -> int:
    """An inner key: 63 random bits, so that any replica makes them without asking."""
    return secrets.randbits(63)


class Keys:
    """Which id has which key now; learns from every row read, and asks for the rest."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._key: dict[tuple[Kind, str], int] = {}
        self._id: dict[tuple[Kind, int], str] = {}

    def learn(self, kind: Kind, id: str, key: int) -> None:
        """Takes an id as that of a key; the one that it had, if any, names it no more."""
        former = self._id.get((kind, key), id)
        if former != id and self._key.get((kind, former)) == key:
            del self._key[kind, former]
        self._key[kind, id] = key
        self._id[kind, key] = id

    def forget(self, kind: Kind, id: str) -> None:
        key = self._key.pop((kind, id), None)
        if key is not None:
            self._id.pop((kind, key), None)

    def key_of(self, kind: Kind, id: str) -> int:
        """The key of an id that is known to be there.

        Raises:
            KeyError: there is none; callers check existence first.
        """
        if (kind, id) not in self._key:
            self.find(kind, [id])
        return self._key[kind, id]

    def find(self, kind: Kind, ids: Iterable[str]) -> dict[str, int]:
        """Keys by id, of those that are there."""
        wanted = set(ids)
        missing = sorted(id for id in wanted if (kind, id) not in self._key)
        table = LAYOUTS[kind].table
        for some in batches(missing):
            query = select(table.c.id, table.c.key).where(table.c.id.in_(some))
            for row in self._connection.execute(query):
                self.learn(kind, row.id, row.key)
        return {id: self._key[kind, id] for id in wanted if (kind, id) in self._key}

    def id_of(self, kind: Kind, key: int) -> str:
        """The id that a key has, or had last."""
        if (kind, key) not in self._id:
            self.find_ids(kind, [key])
        return self._id[kind, key]

    def find_ids(self, kind: Kind, keys: Iterable[int]) -> None:
        """Learns the ids of keys, of those gone too, with few statements."""
        missing = sorted({key for key in keys if (kind, key) not in self._id})
        table = LAYOUTS[kind].table
        for some in batches(missing):
            query = select(table.c.id, table.c.key).where(table.c.key.in_(some))
            for row in self._connection.execute(query):
                self.learn(kind, row.id, row.key)
        gone = [key for key in missing if (kind, key) not in self._id]
        for some in batches(gone):
            query = (
                select(name.c.id, name.c.key)
                .where(name.c.key.in_(some))
                .order_by(name.c.from_revision)
            )
            for row in self._connection.execute(query):
                self._id[kind, row.key] = row.id


def batches(items: list[T], size: int = BATCH) -> Iterable[list[T]]:
    """Slices short enough for one statement's list of values."""
    return (items[start : start + size] for start in range(0, len(items), size))


def is_one_of(
    columns: Sequence[ColumnElement[Any]], some: Iterable[Sequence[Any]]
) -> ColumnElement[bool]:
    """Whether columns hold, together, one of some tuples, of which there are TUPLES at most.

    SQLite reads the whole table for a list of tuples, and seeks for each of these; MariaDB seeks for
    either.
    """
    return or_(
        *(
            and_(*(column == each for column, each in zip(columns, held, strict=True)))
            for held in some
        )
    )
