"""Samples for charts: one replica takes each for all, and any replica tells them."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

import structlog

from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.sample import (
    COARSE_KEPT_US,
    COARSE_US,
    FINE_KEPT_US,
    FINE_US,
    MOST_SAMPLES,
    Sample,
    step_of,
    thinned,
)
from metadata_server.services.watching.overview import Overviews
from metadata_server.store.chores import SAMPLE, claim_chore, time_until
from metadata_server.store.samples import samples, take_sample
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

DEFAULT_RANGE_US = 3_600_000_000
MOST_LATE_S = 0.5
"""So that replicas do not all come at once."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """Samples by time.

    Attributes:
        step_us: time between two of them.
        now_us: the database's clock.
    """

    samples: list[Sample]
    step_us: int
    now_us: int


class Samples:
    """Tells them; a range is read once for all who ask within a fifth of its step."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reading = asyncio.Lock()
        self._known: dict[tuple[int, int], tuple[float, Answer[Told]]] = {}

    async def list(self, *, range_us: int, step_us: int) -> Answer[Told]:
        """The samples of the time up to now.

        Args:
            range_us: how long that time is; 0: an hour.
            step_us: time between two samples; 0: as fine as goes.

        Raises:
            Refused: INVALID_FIELD; DATABASE_UNAVAILABLE.
        """
        check_range(range_us, step_us)
        range_us = range_us or DEFAULT_RANGE_US
        least_us = FINE_US if range_us <= FINE_KEPT_US else COARSE_US
        # No finer than is kept, no more than one answer holds, and whole samples in each step.
        wanted_us = max(step_us, least_us, -(-range_us // MOST_SAMPLES))
        chosen_us = step_of(wanted_us, least_us)

        async with self._reading:
            now = time.monotonic()
            young = {key: known for key, known in self._known.items() if now < known[0]}
            if (range_us, chosen_us) not in young:
                answer = await self._read(range_us, chosen_us, kept_us=least_us)
                good_us = min(chosen_us // 5, FINE_US)
                young[range_us, chosen_us] = now + good_us / 1_000_000, answer
            self._known = young
            return young[range_us, chosen_us][1]

    async def _read(self, range_us: int, step_us: int, *, kept_us: int) -> Answer[Told]:
        def work(unit: UnitOfWork) -> Told:
            # From a whole step on: the first one would else be told otherwise each time.
            begin_us = (unit.now_us - range_us) // step_us * step_us
            found = samples(unit, begin_us, unit.now_us, step_us=kept_us)
            return Told(thinned(found, step_us), step_us, unit.now_us)

        return await self._store.read(work)


def check_range(range_us: int, step_us: int) -> None:
    wrong = []
    if not 0 <= range_us <= COARSE_KEPT_US:
        wrong.append(WrongField("range", f"{range_us / 1e6:g} s", "a time from 0 to 90 days"))
    if not 0 <= step_us <= COARSE_KEPT_US:
        wrong.append(WrongField("step", f"{step_us / 1e6:g} s", "a time from 0 to 90 days"))
    if wrong:
        raise Refused.wrong_fields(wrong)


class Sampling:
    """Takes them, in turn with all other replicas: nobody takes two of the same time."""

    def __init__(self, store: Store, overviews: Overviews) -> None:
        self._store = store
        self._overviews = overviews

    async def run(self) -> None:
        """Takes samples until it is cancelled; none while the database is away."""
        while True:
            pause_s = FINE_US / 1_000_000
            try:
                pause_s = await self.sample()
            except Refused as refused:
                log.info("no_sample", reason=refused.reason)
            except Exception:  # the top of a background loop: a chart has a gap
                log.exception("no_sample")
            await asyncio.sleep(pause_s + random.uniform(0, MOST_LATE_S))

    async def sample(self) -> float:
        """Takes a sample, if one is due; in how many s the next one is.

        Raises:
            Refused: DATABASE_UNAVAILABLE, CONTENTION.
        """

        def claim(unit: UnitOfWork) -> tuple[int, int]:
            time_us = unit.now_us // FINE_US * FINE_US
            left_us = time_us + FINE_US - unit.now_us
            if claim_chore(unit, SAMPLE, every_us=FINE_US, again_in_us=left_us):
                return time_us, left_us
            return 0, time_until(unit, SAMPLE)

        time_us, left_us = (await self._store.transact(claim)).value
        if time_us:
            tally = (await self._overviews.get(0)).tally
            await self._store.transact(lambda unit: take_sample(unit, tally, time_us=time_us))
        return left_us / 1_000_000
