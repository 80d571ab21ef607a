"""What one follower of the changes has waiting: bounded, in order, without gap or repetition."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Self

from metadata_server.domain.change import Change, Position
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused

MOST_CHANGES_WAITING = 50_000


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Batch:
    """Changes of whole revisions, in order.

    Attributes:
        position: everything up to here is told with this batch.
    """

    position: Position
    changes: tuple[Change, ...]


CatchUp = Callable[["Subscription"], Coroutine[None, None, Batch | None]]


class Subscription:
    """Follows the changes: `async for batch in subscription`, or `next`.

    Attributes:
        kinds: batches without changes of these kinds are passed over.
        reached: up to where changes have been handed out; None: it has not begun.
    """

    def __init__(self, kinds: frozenset[Kind], after: Position | None, catch_up: CatchUp) -> None:
        self.kinds = kinds
        self.reached = after
        self._catch_up: CatchUp | None = catch_up
        self._reading: asyncio.Task[Batch | None] | None = None
        self._waiting: deque[Batch] = deque()
        self._changes_waiting = 0
        self._told: Position | None = None
        self._ended: Refused | None = None
        self._wake = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def position(self) -> Position | None:
        """Up to where nothing that passes is still to be handed out."""
        if self._waiting or self._is_catching_up or self._told is None or self.reached is None:
            return self.reached
        return max(self._told, self.reached)

    def begin(self, position: Position) -> None:
        """It is told everything that happens after a position."""
        if self.reached is None:
            self.reached = position

    def caught_up(self) -> None:
        """What is missing now will be offered."""
        self._catch_up = None

    def offer(self, batch: Batch, kinds: frozenset[Kind]) -> None:
        """Adds a batch that holds changes of some kinds, or ends a follower that is too slow.

        One that has nothing waiting takes a batch of any size: a revision is never split.
        """
        reached = self.reached
        if self._ended is not None or reached is None or batch.position <= reached:
            return
        if not kinds & self.kinds:
            self._told = batch.position
            return
        if self._waiting and self._changes_waiting + len(batch.changes) > MOST_CHANGES_WAITING:
            self.end(too_slow(self._changes_waiting))
            return
        self._waiting.append(batch)
        self._changes_waiting += len(batch.changes)
        self._told = batch.position
        self._wake.set()

    def end(self, refused: Refused) -> None:
        """Ends it; what was waiting is dropped, and can be had again from `reached`."""
        self._ended = self._ended or refused
        self._waiting.clear()
        self._wake.set()

    async def next(self, timeout_s: float | None = None) -> Batch | None:
        """The next batch; None: none came in time.

        Raises:
            Refused: WATCHER_TOO_SLOW, HISTORY_RESET, HISTORY_TRIMMED, DRAINING, and
                DATABASE_UNAVAILABLE while it catches up.
        """
        clock = asyncio.get_running_loop().time
        due = None if timeout_s is None else clock() + timeout_s
        while self._is_catching_up and self._ended is None:
            if not await self._has_read(None if due is None else due - clock()):
                return None
            if (batch := self._what_was_read()) is not None:
                self.reached = batch.position
                return batch
        while (live := self._take()) is None:
            if due is not None:
                if clock() >= due:
                    return None
                self._ring_by(due)
            self._wake.clear()
            await self._wake.wait()
        return live

    @property
    def _is_catching_up(self) -> bool:
        """Also where the last piece has been read, but nobody was there to take it."""
        return self._catch_up is not None or self._reading is not None

    async def _has_read(self, timeout_s: float | None) -> bool:
        """Whether a piece of the past was read in time; else its reading goes on."""
        if self._reading is None:
            assert self._catch_up is not None
            self._reading = asyncio.create_task(self._catch_up(self), name="catch up")
        done, _ = await asyncio.wait([self._reading], timeout=timeout_s)
        return bool(done)

    def _what_was_read(self) -> Batch | None:
        reading, self._reading = self._reading, None
        assert reading is not None
        return reading.result()

    def _ring_by(self, due: float) -> None:
        """Sees to it that it wakes in time. An alarm that rings early stays, and is set again
        when it has rung: a new one for each batch costs as much as handing out the batch."""
        if self._alarm is None or self._alarm.when() > due:
            self._silence()
            self._alarm = asyncio.get_running_loop().call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._wake.set()

    def close(self) -> None:
        """Takes away what would still happen; nobody waits any more."""
        self._silence()
        if self._reading is not None:
            self._reading.cancel()
            self._reading.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _take(self) -> Batch | None:
        """The first batch waiting that is not altogether known already."""
        if self._ended is not None:
            raise self._ended
        while self._waiting:
            batch = self._waiting.popleft()
            self._changes_waiting -= len(batch.changes)
            reached = self.reached
            assert reached is not None
            if batch.position <= reached:
                continue
            self.reached = batch.position
            if batch.changes[0].revision > reached.revision:
                return batch
            rest = tuple(each for each in batch.changes if each.revision > reached.revision)
            return replace(batch, changes=rest)
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        batch = await self.next()
        assert batch is not None
        return batch


def too_slow(waiting: int) -> Refused:
    return Refused.pressure(
        "WATCHER_TOO_SLOW",
        f"{waiting} changes were waiting to be taken. Watch again from the last position.",
    )
