"""Heartbeats of the sessions attached here, made durable together."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import structlog

from metadata_server.domain.life.timing import Timing
from metadata_server.domain.refused import Refused
from metadata_server.store.life.leases import Renewal, renew
from metadata_server.store.store import Store

log = structlog.get_logger()


class Word(Enum):
    """What became of a heartbeat; none comes while only a sweep can say."""

    RENEWED = auto()
    ENDED = auto()


Tell = Callable[[Word, float], None]
"""Told what became of it, and when the database was asked, by the steady clock, s: whatever came
in between, a lease runs from then on at least."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The latest beat of a session; `made` by the steady clock, s."""

    made: float
    tell: Tell


class LeaseKeeper:
    """Collects beats, the latest of each session, and renews their leases in one statement.

    While the database is away it keeps them and goes on; one that has become older than a
    period says nothing of now, and is dropped.
    """

    def __init__(self, store: Store, timing: Timing) -> None:
        self._store = store
        self._timing = timing
        self._beats: dict[str, Beat] = {}
        self._some = asyncio.Event()
        self._failing = False

    def beat(self, session: str, age_s: float, tell: Tell) -> None:
        """Takes a sign of life; bounded by one a session."""
        made = time.monotonic() - max(0.0, age_s)
        before = self._beats.get(session)
        if before is None or before.made <= made:
            self._beats[session] = Beat(made, tell)
            self._some.set()

    @property
    def is_waiting(self) -> bool:
        """Whether the database does not answer, and beats are kept for later."""
        return self._failing

    async def run(self) -> None:
        """Renews leases until it is cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(self._timing.renewal_s)
            try:
                await self._renew()
            except Exception:  # the top of a background loop
                log.exception("renewal_failed")

    async def _renew(self) -> None:
        beats = self._take()
        if not beats:
            return
        asked = time.monotonic()
        try:
            answer = await self._store.transact(
                lambda unit: renew(unit, beats, lease_us=self._timing.lease_us)
            )
        except Refused as refused:
            self._put_back(beats, refused)
            await asyncio.sleep(random.uniform(0.2, 0.5))
            return
        if self._failing:
            log.info("renewals_go_on", sessions=len(beats))
        self._failing = False
        tell(beats, answer.value, asked)

    def _take(self) -> dict[str, Beat]:
        oldest = time.monotonic() - self._timing.heartbeat_us / 1_000_000
        beats = {name: beat for name, beat in self._beats.items() if beat.made >= oldest}
        self._beats.clear()
        self._some.clear()
        return beats

    def _put_back(self, beats: dict[str, Beat], refused: Refused) -> None:
        if not self._failing:
            log.warning("renewals_wait", reason=refused.reason, sessions=len(beats))
        self._failing = True
        self._beats = beats | self._beats
        self._some.set()


def tell(beats: dict[str, Beat], renewal: Renewal, asked: float) -> None:
    for name, beat in beats.items():
        if name in renewal.renewed:
            beat.tell(Word.RENEWED, asked)
        elif name in renewal.ended:
            beat.tell(Word.ENDED, asked)
