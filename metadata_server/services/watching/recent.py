"""What was told lately, kept in memory: who was away for a moment is told it without a read.

When a replica dies, all who watched there come to the others at once, each a little behind. That
a thousand of them read the same from the database would keep it busy for minutes.
"""

from __future__ import annotations

import time
import weakref
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

from metadata_server.domain.change import Change, Position
from metadata_server.domain.names import Kind
from metadata_server.services.watching.subscription import Batch

MOST_CHANGES = 50_000
"""About 2 kB each."""
KEPT_S = 60.0
"""Longer than streams take to come to another replica, and clients to start again."""


@dataclass(slots=True)
class Told:
    """
    Attributes:
        after: revision up to which everything had been told before.
        kinds: of changes that it was read for; others may be missing.
        batch: as it was told, while somebody has it: what others made of it is found by that.
        since: by this process's monotonic clock, s.
    """

    after: int
    position: Position
    changes: tuple[Change, ...]
    kinds: frozenset[Kind]
    batch: weakref.ref[Batch]
    since: float = field(default_factory=time.monotonic)

    def again(self) -> Batch:
        """The same object for all who have it at a time."""
        batch = self.batch()
        if batch is None:
            batch = Batch(self.position, self.changes)
            self.batch = weakref.ref(batch)
        return batch


class Recent:
    """The last batches, without a gap between them."""

    def __init__(self, *, most_changes: int = MOST_CHANGES, kept_s: float = KEPT_S) -> None:
        self._most_changes, self._kept_s = most_changes, kept_s
        self._told: deque[Told] = deque()
        self._changes = 0

    def add(self, after: Position, batch: Batch, kinds: frozenset[Kind]) -> None:
        """Adds what was told after a position; the oldest go where it is too much."""
        told = Told(after.revision, batch.position, batch.changes, kinds, weakref.ref(batch))
        self._told.append(told)
        self._changes += len(batch.changes) + 1
        while self._changes > self._most_changes:
            self._drop_first()

    def forget(self) -> None:
        """Another history has begun."""
        self._told.clear()
        self._changes = 0

    def forget_old(self) -> None:
        until = time.monotonic() - self._kept_s
        while self._told and self._told[0].since < until:
            self._drop_first()

    def after(self, reached: Position, kinds: frozenset[Kind]) -> Batch | None:
        """What came next after a position; None: that is not known, or no longer."""
        place = bisect_right(self._told, reached.revision, key=lambda told: told.after) - 1
        if place < 0:
            return None
        told = self._told[place]
        is_known = is_same_history(told.position, reached) and kinds <= told.kinds
        if not is_known or reached.revision >= told.position.revision:
            return None
        if reached.revision == told.after:
            return told.again()
        rest = (each for each in told.changes if each.revision > reached.revision)
        return Batch(told.position, tuple(rest))

    def _drop_first(self) -> None:
        self._changes -= len(self._told.popleft().changes) + 1


def is_same_history(one: Position, other: Position) -> bool:
    return (one.store_id, one.epoch) == (other.store_id, other.epoch)
