"""Who may use the database next: bounded, by rank, and in turns among those who ask.

Only the event loop's thread calls what is here.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import ITSELF, RANKS, Asker, Rank

MOST_WAITING = 1_000
LONGEST_WAIT_S = 4.0
"""Who waits longer is told to come again, before it gives up by itself."""
FIRST_HOLD_S = 0.005
WEIGHT = 0.1
"""Of the newest in the mean of how long turns of a rank last."""
SHORTEST_DELAY_MS, LONGEST_DELAY_MS = 500, 30_000
STANDSTILL = 8
"""The database stands still when nothing has begun for one part in so many of the longest wait."""
FROM_BELOW = 8
"""Each so-many-th turn begins with the lowest rank, so that none waits for ever."""

asking: ContextVar[Asker] = ContextVar("asking", default=ITSELF)
"""For whom the present task uses the database."""


@contextmanager
def on_behalf_of(asker: Asker) -> Iterator[None]:
    token = asking.set(asker)
    try:
        yield
    finally:
        asking.reset(token)


class Held(NamedTuple):
    """A turn that has begun; `since` by the loop's clock, s."""

    rank: Rank
    since: float


class Key(NamedTuple):
    """Whose queue it is; the patient have one of their own, from which nobody is sent away."""

    name: str
    is_patient: bool


@dataclass(slots=True)
class Told:
    """What figures tell of one rank; they only grow, but for `waiting`.

    Attributes:
        waits: that have ended, with a turn or without one.
        waited_s: in all of these.
    """

    admitted: int = 0
    waiting: int = 0
    waits: int = 0
    waited_s: float = 0.0


Place = asyncio.Future[None]
Queues = OrderedDict[Key, deque[Place]]


class Turns:
    """Gives out as many turns at once as there are threads.

    Args:
        places: turns at once. One is kept for LIFE; arrivals and bulk have half each at most.
        most_waiting: of those who can be refused. When there are more, the longest queue of the
            lowest rank loses its newest.
        longest_wait_s: for those who can be refused.
    """

    def __init__(
        self,
        places: int,
        *,
        most_waiting: int = MOST_WAITING,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        half, rest = max(1, places // 2), max(1, places - 1)
        self._room = {Rank.LIFE: places, Rank.PEOPLE: rest, Rank.ARRIVALS: half, Rank.BULK: half}
        self._places, self._rest = places, rest
        self._most_waiting, self._longest_wait_s = most_waiting, longest_wait_s
        self._running = dict.fromkeys(RANKS, 0)
        self._taken = 0
        self._queues: dict[Rank, Queues] = {rank: OrderedDict() for rank in RANKS}
        self._impatient = 0
        self._given = 0
        self._hold_s = dict.fromkeys(RANKS, FIRST_HOLD_S)
        self._last_begun = 0.0
        self.told = {rank: Told() for rank in RANKS}
        self.refused: Counter[str] = Counter()

    async def begin(self, asker: Asker) -> Held:
        """Waits for a turn; it has to be ended.

        Raises:
            Refused: TOO_BUSY, with when to come again.
        """
        rank = asker.rank
        if self._queues[rank] or not self._has_room(rank):
            await self._wait(asker)
        else:
            self._take(rank)
        self.told[rank].admitted += 1
        self._last_begun = now_s()
        return Held(rank, self._last_begun)

    def end(self, held: Held) -> None:
        """Gives the turn to the next."""
        self._hold_s[held.rank] += WEIGHT * (now_s() - held.since - self._hold_s[held.rank])
        self._give_back(held.rank)

    def _take(self, rank: Rank) -> None:
        self._running[rank] += 1
        self._taken += 1

    def _give_back(self, rank: Rank) -> None:
        self._running[rank] -= 1
        self._taken -= 1
        self._give()

    def _has_room(self, rank: Rank) -> bool:
        running, taken = self._running, self._taken
        if taken >= self._places or running[rank] >= self._room[rank]:
            return False
        return rank is Rank.LIFE or taken - running[Rank.LIFE] < self._rest

    async def _wait(self, asker: Asker) -> None:
        since = now_s()
        if not asker.is_patient:
            self._make_room(asker)
        place, expiry = self._place_for(asker)
        key = Key(asker.name, asker.is_patient)
        self._queues[asker.rank].setdefault(key, deque()).append(place)
        told = self.told[asker.rank]
        told.waiting += 1
        self._impatient += not asker.is_patient
        try:
            await place
        except asyncio.CancelledError:
            if has_turn(place):
                self._give_back(asker.rank)  # it had got its turn in the same moment
            raise
        finally:
            if expiry is not None:
                expiry.cancel()
            if not has_turn(place):
                self._leave(asker.rank, key, place)
            self._impatient -= not asker.is_patient
            told.waiting -= 1
            told.waits += 1
            told.waited_s += now_s() - since

    def _place_for(self, asker: Asker) -> tuple[Place, asyncio.TimerHandle | None]:
        """A place to wait in, and what ends the wait of those who can be refused."""
        loop = asyncio.get_running_loop()
        place: Place = loop.create_future()
        if asker.is_patient:
            return place, None
        return place, loop.call_later(self._longest_wait_s, self._expire, place, asker)

    def _expire(self, place: Place, asker: Asker) -> None:
        if not place.done():
            place.set_exception(self._too_busy("wait", asker))

    def _leave(self, rank: Rank, key: Key, place: Place) -> None:
        """Takes one out that waits no more and got no turn."""
        queue = self._queues[rank].get(key)
        if queue is not None and place in queue:
            queue.remove(place)
            if not queue:
                del self._queues[rank][key]

    def _make_room(self, asker: Asker) -> None:
        """
        Raises:
            Refused: TOO_BUSY: it would wait too long, or too many wait already, and nobody
                has a longer queue.
        """
        if self._expected_s(asker) > self._longest_wait_s:
            raise self._too_busy("expected_wait", asker)
        if self._impatient < self._most_waiting:
            return
        rank, key = self._longest_queue(asker)
        if key is None:
            raise self._too_busy("full", asker)
        queue = self._queues[rank][key]
        place = queue.pop()
        if not queue:
            del self._queues[rank][key]
        if not place.done():
            place.set_exception(self._too_busy("full", Asker(key.name, rank)))

    def _longest_queue(self, asker: Asker) -> tuple[Rank, Key | None]:
        """Whose newest gives way to somebody; None: their own is the longest, or nobody of so
        low a rank waits."""
        for rank in reversed(RANKS[RANKS.index(asker.rank) :]):
            found = {key: len(queue) for key, queue in self._queues[rank].items()}
            found = {key: count for key, count in found.items() if not key.is_patient}
            if found:
                longest = max(found, key=lambda key: found[key])
                own = found.get(Key(asker.name, is_patient=False), 0)
                is_fairer = rank is not asker.rank or found[longest] > own + 1
                return rank, longest if is_fairer else None
        return asker.rank, None

    def _expected_s(self, asker: Asker) -> float:
        """About how long somebody would wait: as many rounds as they have waiting themselves,
        after all of higher ranks. Where nothing has begun for a while, turns last at least that
        long by now."""
        queues = self._queues[asker.rank]
        own = len(queues.get(Key(asker.name, asker.is_patient), ()))
        before = {rank: self.told[rank].waiting for rank in RANKS[: RANKS.index(asker.rank)]}
        # Counted one by one only for those who wait already: a storm has a queue for each.
        counts = (min(len(queue), own + 1) for queue in queues.values())
        before[asker.rank] = sum(counts) if own else len(queues)
        still_s = now_s() - self._last_begun
        if still_s < self._longest_wait_s / STANDSTILL:
            still_s = 0.0  # a busy moment of this process, in which many come at once
        work_s = sum(count * max(self._hold_s[rank], still_s) for rank, count in before.items())
        if any(self.told[rank].waiting for rank in RANKS[RANKS.index(asker.rank) + 1 :]):
            return work_s / self._room[asker.rank]
        # The lowest that wait have a share of their own, however many are before them.
        turn_s = max(still_s, *self._hold_s.values())
        share_s = before[asker.rank] * FROM_BELOW * turn_s / self._places
        return min(work_s / self._room[asker.rank], share_s)

    def _give(self) -> None:
        """Gives turns to those who wait, as long as there is room."""
        while self._taken < self._places and (rank := self._next_rank()) is not None:
            queues = self._queues[rank]
            key, queue = queues.popitem(last=False)
            place = queue.popleft()
            if queue:
                queues[key] = queue  # behind all others of this rank
            if not place.done():
                self._given += 1
                self._take(rank)
                place.set_result(None)

    def _next_rank(self) -> Rank | None:
        is_from_below = self._given % FROM_BELOW == FROM_BELOW - 1
        order = reversed(RANKS) if is_from_below else RANKS
        return next((rank for rank in order if self._queues[rank] and self._has_room(rank)), None)

    def _too_busy(self, cause: str, asker: Asker) -> Refused:
        self.refused[cause] += 1
        waiting = sum(each.waiting for each in self.told.values())
        delay_ms = round(self._expected_s(asker) * 1000)
        return Refused.pressure(
            "TOO_BUSY",
            f"This replica is busy: {waiting} calls wait for its database already. Send the same "
            "call again after the delay given.",
            retry_after_ms=min(max(delay_ms, SHORTEST_DELAY_MS), LONGEST_DELAY_MS),
        )


def has_turn(place: Place) -> bool:
    return place.done() and not place.cancelled() and place.exception() is None


def now_s() -> float:
    return time.monotonic()
