"""What keys were called, over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select

from metadata_server.store.keys import batches
from metadata_server.store.schema import name
from metadata_server.store.unit_of_work import UnitOfWork


class Span(NamedTuple):
    """From when to when a key had an id.

    Attributes:
        until: the revision that ended it; None: it has it still.
    """

    since: int
    until: int | None
    id: str

    def holds(self, revision: int) -> bool:
        return self.since <= revision and (self.until is None or revision < self.until)


class Names:
    """The ids that some keys had, over time."""

    def __init__(self, unit: UnitOfWork, keys: Iterable[int]) -> None:
        self._spans: dict[int, list[Span]] = defaultdict(list)
        columns = (name.c.key, name.c.from_revision, name.c.to_revision, name.c.id)
        for some in batches(sorted(keys)):
            query = select(*columns).where(name.c.key.in_(some)).order_by(name.c.from_revision)
            for key, *span in unit.connection.execute(query):
                self._spans[key].append(Span(*span))

    def at(self, key: int, revision: int) -> str:
        """The last id that a key had got by a revision; empty: none."""
        known = [span.id for span in self._spans[key] if span.since <= revision]
        return known[-1] if known else ""

    def then(self, key: int, revision: int) -> str:
        """The id that a key had at a revision; empty: it was nobody's then."""
        spans = self._spans[key]
        return next((span.id for span in reversed(spans) if span.holds(revision)), "")

    def has_gone(self, key: int, revision: int) -> bool:
        """Whether a key was somebody's before a revision, and nobody's at it."""
        return bool(self.at(key, revision)) and not self.then(key, revision)

    def is_new(self, key: int, revision: int) -> bool:
        """Whether a key was nobody's ever before a revision."""
        return not any(span.since < revision for span in self._spans[key])

    def moves(self, key: int, revision: int) -> bool:
        """Whether a key came, went, or got another id with a revision."""
        return self.then(key, revision) != self.then(key, revision - 1)
