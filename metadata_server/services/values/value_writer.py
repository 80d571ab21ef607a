"""What inputs are set to, written in batches: many units, one transaction, no revision."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import structlog

from metadata_server.domain.life.session import Session
from metadata_server.domain.refused import Refused
from metadata_server.domain.values.live_values import UnitValues
from metadata_server.services.life.hosting import HostedUnit
from metadata_server.services.life.reports import set_if, steady_now_us
from metadata_server.store.store import Store
from metadata_server.store.values.live_values import write_values

GATHER_S = 0.2
"""What comes within this time is written together; nobody waits for it."""
UNITS_A_TRANSACTION = 1_000
MAXIMUM_PENDING_CHARACTERS = 32_000_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
log = structlog.get_logger()


class Entry(NamedTuple):
    """Values that wait, and whose session reported them."""

    session: str
    values: UnitValues


class ValueWriter:
    """Collects the values of all sessions of this replica, the newest of each unit, and writes
    them together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: dict[int, Entry] = {}
        self._characters = 0
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def pending(self) -> int:
        """Units whose values wait to be written."""
        return len(self._pending)

    async def put(
        self, session: Session, reported: Iterable[tuple[HostedUnit, UnitValues]]
    ) -> None:
        """Takes values over, waiting while too many wait already: so the stream that they come
        from is slowed down. Ends with that stream at the latest."""
        while not self._room.is_set():  # whoever went on before may have taken it
            await self._room.wait()
        for hosted, values in reported:
            self._add(hosted.key, Entry(session.id, values))
        self._signal()

    async def run(self) -> None:
        """Writes what comes, until it is cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHER_S)
            batch = self._take()
            try:
                await self._write(batch)
                pause = FIRST_PAUSE_S
            except Refused as refused:
                self._put_back(batch)
                log.warning("values_wait", reason=refused.reason, units=len(self._pending))
                await asyncio.sleep(random.uniform(pause / 2, pause))
                pause = min(pause * 2, LONGEST_PAUSE_S)
            except Exception:  # the top of a background loop
                # They come again with the next change, or the next stream.
                log.exception("values_lost", units=len(batch))

    async def _write(self, batch: dict[int, Entry]) -> None:
        await self._store.transact(
            lambda unit: write_values(unit, batch, steady_us=steady_now_us())
        )

    def _add(self, key: int, entry: Entry) -> None:
        before = self._pending.pop(key, None)
        if before is not None:
            self._characters -= before.values.characters
        self._pending[key] = entry
        self._characters += entry.values.characters

    def _take(self) -> dict[int, Entry]:
        """Those that wait longest, as many as one transaction may carry."""
        keys = list(islice(self._pending, UNITS_A_TRANSACTION))
        batch = {key: self._pending.pop(key) for key in keys}
        self._characters -= sum(each.values.characters for each in batch.values())
        self._signal()
        return batch

    def _put_back(self, batch: dict[int, Entry]) -> None:
        """What could not be written waits again, unless newer has come meanwhile."""
        for key, entry in batch.items():
            if key not in self._pending:
                self._add(key, entry)
        self._signal()

    def _signal(self) -> None:
        set_if(self._some, self._pending)
        set_if(self._room, self._characters < MAXIMUM_PENDING_CHARACTERS)
