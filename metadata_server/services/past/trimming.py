"""Deletes what is older than it is kept; one replica at a time, a little at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

import structlog

from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.replica import SHOWN_US
from metadata_server.domain.sample import COARSE_KEPT_US, FINE_KEPT_US
from metadata_server.store.chores import (
    TRIM,
    TRIM_ROWS,
    claim_chore,
    end_trimming,
    put_off,
    time_to_trim_at,
    trim_requests,
    trim_sightings,
)
from metadata_server.store.deliveries.webhook_deliveries import trim_deliveries
from metadata_server.store.orchestration.archiving import archive_operations
from metadata_server.store.past.moments import ahead_us
from metadata_server.store.past.retention import trim_kind
from metadata_server.store.replicas import trim_replicas
from metadata_server.store.samples import trim_coarse_samples, trim_fine_samples
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

DAY_US = 86_400_000_000
EVERY_US = 600_000_000
AGAIN_US = 2_000_000
"""When there was more to delete than one transaction does."""
LOOK_S = 60.0
MOST_AT_ONCE_US = 3_600_000_000
"""For how much time more than before what is old is deleted at once: so a clock that is ahead costs
six times as much time of what is oldest as it is ahead for, and not all that there is. What fell due in
a month without a server is deleted within a week."""
AHEAD_US = 1_000_000
"""Less than that clocks differ anyway."""
log = structlog.get_logger()


class Trimming:
    """The history of each kind is kept for a time of its own; so are requests and sightings,
    the steps of operations, and the deliveries of webhooks, and samples. Replicas that are gone are forgotten.

    Args:
        kept_days: by kind; 0, or a kind that is not named: for ever.
    """

    def __init__(
        self,
        store: Store,
        *,
        kept_days: Mapping[Kind, float],
        request_days: float,
        operation_days: float = 400,
        delivery_days: float = 30,
        sighting_days: float = 90,
    ) -> None:
        self._store = store
        self._was_ahead = False
        self._kept_us = {kind: round(days * DAY_US) for kind, days in kept_days.items() if days}
        self._operations_kept_us = round(operation_days * DAY_US)
        self._limits = (
            (trim_requests, round(request_days * DAY_US)),
            (trim_sightings, round(sighting_days * DAY_US)),
            (trim_deliveries, round(delivery_days * DAY_US)),
            (trim_replicas, SHOWN_US),
            (trim_fine_samples, FINE_KEPT_US),
            (trim_coarse_samples, COARSE_KEPT_US),
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

        more, by_us = (await self._store.transact(self._trimmed)).value
        self._tell_ahead(by_us)
        if more:
            log.info("trimmed", more=more)
        return more

    def _tell_ahead(self, by_us: int | None) -> None:
        """Tells people once that times of revisions are ahead of the clock; None: nobody looked."""
        if by_us is None:
            return
        if by_us > AHEAD_US and not self._was_ahead:
            log.warning("revisions_ahead_of_clock", ahead_s=by_us // 1_000_000)
        self._was_ahead = by_us > AHEAD_US

    def _trimmed(self, unit: UnitOfWork) -> tuple[bool, int | None]:
        """Whether there is more, and by how much revisions are ahead; None: it was not due."""
        if not claim_chore(unit, TRIM, every_us=EVERY_US):
            return False, None
        by_us = ahead_us(unit)
        now_us = time_to_trim_at(unit, most_us=MOST_AT_ONCE_US)
        counts = [trim(unit, now_us - kept_us) for trim, kept_us in self._limits]
        steps = [trim_kind(unit, kind, now_us - kept_us) for kind, kept_us in self._kept_us.items()]
        # Last: it claims a revision, for which all other writers wait until this ends.
        counts.append(archive_operations(unit, now_us - self._operations_kept_us))
        more = max(counts) == TRIM_ROWS or any(steps)
        if more:
            put_off(unit, TRIM, AGAIN_US)
        else:
            end_trimming(unit, now_us)
        return more, by_us
