"""Deletes what is older than it is kept; one replica at a time, a little at a time."""

from __future__ import annotations

import asyncio
import random

import structlog

from metadata_server.domain.refused import Refused
from metadata_server.store.chores import (
    TRIM,
    TRIM_ROWS,
    claim_chore,
    put_off,
    trim_requests,
    trim_sightings,
    trim_status_history,
)
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

DAY_US = 86_400_000_000
EVERY_US = 600_000_000
AGAIN_US = 2_000_000
"""When there was more to delete than one transaction does."""
LOOK_S = 60.0
log = structlog.get_logger()


class Trimming:
    """What units reported is kept for `status_days`, requests and sightings for theirs."""

    def __init__(
        self, store: Store, *, status_days: float, request_days: float, sighting_days: float = 90
    ) -> None:
        self._store = store
        self._limits = (
            (trim_status_history, round(status_days * DAY_US)),
            (trim_requests, round(request_days * DAY_US)),
            (trim_sightings, round(sighting_days * DAY_US)),
        )

    async def run(self) -> None:
        """Trims now and then, until it is cancelled."""
        while True:
            more = False
            try:
                more = await self.trim()
            except Refused as refused:
                log.warning("trimming_waits", reason=refused.reason)
            except Exception:  # the top of a background loop
                log.exception("trimming_failed")
            pause_s = AGAIN_US / 1_000_000 if more else LOOK_S
            await asyncio.sleep(pause_s * random.uniform(1.0, 1.2))

    async def trim(self) -> bool:
        """Trims once, if it is due; whether there is more.

        Raises:
            Refused: DATABASE_UNAVAILABLE, CONTENTION.
        """

        def work(unit: UnitOfWork) -> int:
            if not claim_chore(unit, TRIM, again_in_us=EVERY_US):
                return 0
            counts = [trim(unit, unit.now_us - kept_us) for trim, kept_us in self._limits]
            if max(counts) == TRIM_ROWS:
                put_off(unit, TRIM, AGAIN_US)
            return max(counts)

        count = (await self._store.transact(work)).value
        if count:
            log.info("trimmed", rows=count)
        return count == TRIM_ROWS
