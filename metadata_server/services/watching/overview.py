"""The overview, computed once for all who look, and the pulse that ticks beside it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from metadata_server.domain.change import Position
from metadata_server.domain.life.groups import Groups, grouping_of
from metadata_server.domain.life.overview import Overview
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.watching.sent_away import grown_old, sent_elsewhere
from metadata_server.services.watching.tailer import Tailer
from metadata_server.services.watching.watch import AGE_JITTER
from metadata_server.store.life.groups import read_groups
from metadata_server.store.life.overview import Memory, beats, read_overview
from metadata_server.store.past.moments import position_at, time_at
from metadata_server.store.past.past_overview import past_overview
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

DEFAULT_ABNORMAL = 200
MOST_ABNORMAL = 1_000
OVERVIEW_AGE_S = 1.0
"""Contact may be told otherwise without a change while the observer is blind: so long at most."""
PULSE_S = 1.0
MOST_GROUPINGS = 8
"""Groupings whose counts are remembered."""
MOST_PAST = 4
"""Overviews of the past that are remembered: they do not change."""
PAST_KINDS = frozenset(
    {
        Kind.CONTROL_UNIT,
        Kind.CONTROL_UNIT_STATUS,
        Kind.UNIT_SERVER,
        Kind.UNIT_SERVER_STATUS,
    }
)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Pulse:
    """What ticks.

    Attributes:
        ages_us: unit servers with an open session, by id, and the age of their last beat.
    """

    time_us: int
    ages_us: Sequence[tuple[str, int]]


class Overviews:
    """Serves overviews and pulses.

    Args:
        age_s: about how long a listener to the pulse is served before it is sent elsewhere.
    """

    def __init__(self, store: Store, tailer: Tailer, *, age_s: float) -> None:
        self._store = store
        self._tailer = tailer
        self._age_s = age_s
        self._memory = Memory()
        self._reading = asyncio.Lock()
        self._overview: Overview | None = None
        self._read_s = self._checked_s = 0.0
        self._limit = 0
        self._looking_back = asyncio.Lock()
        self._past: dict[Position, Overview] = {}
        self._grouping = asyncio.Lock()
        self._memories: dict[str, Memory] = {}
        self._groups: dict[str, tuple[float, Groups]] = {}
        self._beating = asyncio.Lock()
        self._pulse: Pulse | None = None
        self._beat_s = 0.0

    async def get(self, abnormal_limit: int) -> Overview:
        """The overview as of now; it may hold more abnormal units than were asked for.

        Many who ask at once share one computation, and one look at whether it still holds.

        Raises:
            Refused: DATABASE_UNAVAILABLE.
        """
        asked = time.monotonic()
        async with self._reading:
            known = self._overview
            if known is None or self._limit < abnormal_limit or self._checked_s < asked:
                known = await self._check(known, abnormal_limit)
            return known

    async def _check(self, known: Overview | None, abnormal_limit: int) -> Overview:
        """What is known, if nothing has happened since; else it is read again."""
        begun = time.monotonic()
        position = (await self._store.read(lambda _: None)).position
        is_young = begun - self._read_s < OVERVIEW_AGE_S
        is_current = known is not None and known.position == position and is_young
        if known is None or not is_current or self._limit < abnormal_limit:
            limit = max(abnormal_limit, DEFAULT_ABNORMAL)
            answer = await self._store.read(
                lambda unit: read_overview(unit, abnormal_limit=limit, memory=self._memory)
            )
            known, self._overview = answer.value, answer.value
            self._limit, self._read_s = limit, begun
        self._checked_s = begun
        return known

    async def at(self, as_of: str) -> Overview:
        """The overview as it was at a moment, with as many abnormal units as can be asked for.

        All units are counted, one time at once: those who look back wait for each other.

        Raises:
            Refused: INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED; DATABASE_UNAVAILABLE.
        """
        moment = moment_of(as_of)

        def work(unit: UnitOfWork) -> Overview:
            position = position_at(unit, moment, PAST_KINDS)
            time_us = time_at(unit, moment)
            if (known := self._past.get(position)) is not None:
                # The very same one, where it can be: its message has been made already.
                return known if known.time_us == time_us else replace(known, time_us=time_us)
            return past_overview(unit, position, time_us, abnormal_limit=MOST_ABNORMAL)

        async with self._looking_back:
            found = (await self._store.read(work)).value
            self._past.pop(found.position, None)
            self._past[found.position] = found
            while len(self._past) > MOST_PAST:
                del self._past[next(iter(self._past))]
            return found

    async def groups(self, by: str) -> Groups:
        """All units, grouped; as of now or a second ago, told alike to all who ask meanwhile.

        Raises:
            Refused: INVALID_FIELD; DATABASE_UNAVAILABLE.
        """
        grouping = grouping_of(by)
        async with self._grouping:
            now = time.monotonic()
            young = {name: k for name, k in self._groups.items() if now - k[0] < OVERVIEW_AGE_S}
            if by not in young:
                memory = self._memory_of(by)
                answer = await self._store.read(
                    lambda unit: read_groups(unit, grouping, memory=memory)
                )
                young[by] = now, answer.value
            self._groups = young
            return young[by][1]

    def _memory_of(self, by: str) -> Memory:
        """Of one grouping; those that were asked for longest ago make room."""
        memory = self._memories.pop(by, None) or Memory()
        self._memories[by] = memory
        while len(self._memories) > MOST_GROUPINGS:
            del self._memories[next(iter(self._memories))]
        return memory

    async def pulses(self) -> AsyncGenerator[Pulse, None]:
        """Beats once a second; all listeners share one reading.

        Raises:
            Refused: DRAINING (also of old age); DATABASE_UNAVAILABLE.
        """
        old = time.monotonic() + self._age_s * random.uniform(1 - AGE_JITTER, 1 + AGE_JITTER)
        tick = time.monotonic()
        told: Pulse | None = None
        while tick < old:
            pulse = await self._beat(tick)
            if pulse is not told:  # who came just before a tick has been told of it already
                yield pulse
            told = pulse
            tick = (time.monotonic() // PULSE_S + 1) * PULSE_S
            with suppress(TimeoutError):
                async with asyncio.timeout(tick - time.monotonic()):
                    await self._tailer.draining.wait()
                raise sent_elsewhere()
        raise grown_old()

    async def _beat(self, tick: float) -> Pulse:
        """The pulse of a tick, read by whoever comes first."""
        async with self._beating:
            if self._pulse is None or self._beat_s < tick - PULSE_S / 2:
                answer = await self._store.read(lambda unit: (unit.now_us, beats(unit)))
                now_us, found = answer.value
                ages = [(id, max(0, now_us - beat_us)) for id, beat_us in found]
                self._pulse, self._beat_s = Pulse(now_us, ages), time.monotonic()
            return self._pulse


def abnormal_limit(requested: int) -> int:
    """How many abnormal units are told: 0 is the default, too many are as many as go.

    Raises:
        Refused: INVALID_FIELD, when it is negative.
    """
    if requested < 0:
        expected = f"a number from 0 to {MOST_ABNORMAL}"
        raise Refused.wrong_fields([WrongField("abnormal_limit", str(requested), expected)])
    return min(requested or DEFAULT_ABNORMAL, MOST_ABNORMAL)
