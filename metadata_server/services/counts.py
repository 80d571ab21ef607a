"""The facility in numbers, for those who watch it with a program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from metadata_server.domain.life.overview import Overview
from metadata_server.domain.refused import Refused
from metadata_server.services.replicas import Replicas, Standing
from metadata_server.services.watching.overview import Overviews
from metadata_server.store.backups.mark import unsaved_since_us
from metadata_server.store.counts import conditions_by_type, operations_by_phase
from metadata_server.store.past.moments import ahead_us
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

AGE_S = 5.0
"""However many ask, the database is asked so often."""
LONGEST_S = 2.0
"""Prometheus waits for 5 s, and calls a server that has not answered by then away."""
OLDEST_S = 20.0
"""What was asked for longer ago is not told: an old number would look like a good one."""


@dataclass(frozen=True, slots=True)
class Counted:
    """All numbers, of about one moment.

    Attributes:
        unsaved_us: for how long there have been changes that no backup holds; None: there are none.
        ahead_us: by how much times of revisions are ahead of the database's clock.
    """

    overview: Overview
    standing: Standing
    operations: Mapping[str, int]
    conditions: Mapping[str, int]
    unsaved_us: int | None
    ahead_us: int


class Counts:
    """Reads them, every `AGE_S` while somebody asks."""

    def __init__(self, store: Store, overviews: Overviews, replicas: Replicas) -> None:
        self._store = store
        self._overviews = overviews
        self._replicas = replicas
        self._reading = asyncio.Lock()
        self._read_s = -AGE_S
        self._asking: asyncio.Task[None] | None = None
        self._asked_s = -OLDEST_S
        self._found: Counted | None = None

    @property
    def counted(self) -> Counted | None:
        """What was found last; None: the numbers cannot be read, or not in time."""
        return self._found if time.monotonic() - self._asked_s < OLDEST_S else None

    async def read(self) -> Counted | None:
        """The numbers as of a few seconds ago; None: the database does not answer in time."""
        async with self._reading:
            if time.monotonic() - self._read_s >= AGE_S:
                await self._ask()
                self._read_s = time.monotonic()
            return self.counted

    async def _ask(self) -> None:
        """Does not wait for what takes long: whoever asks next is told. Asks nothing while what
        was asked last is still without an answer: each such question holds a thread."""
        if self._asking is not None and not self._asking.done():
            return
        asking = self._asking = asyncio.create_task(self._find(), name="counts")
        asking.add_done_callback(_heard)
        await asyncio.wait([asking], timeout=LONGEST_S)
        if asking.done():
            asking.result()

    async def _find(self) -> None:
        asked_s = time.monotonic()
        try:
            self._found = await self._read()
        except Refused:
            self._found = None
        self._asked_s = asked_s

    async def _read(self) -> Counted:
        def work(unit: UnitOfWork) -> tuple[dict[str, int], dict[str, int], int | None, int]:
            since_us = unsaved_since_us(unit)
            unsaved_us = None if since_us is None else max(0, unit.now_us - since_us)
            return operations_by_phase(unit), conditions_by_type(unit), unsaved_us, ahead_us(unit)

        overview = await self._overviews.get(0)
        told = (await self._store.read(work)).value
        return Counted(overview, (await self._replicas.list()).value, *told)


def _heard(asking: asyncio.Task[None]) -> None:
    """Asyncio complains of failures that nobody has looked at."""
    if not asking.cancelled():
        asking.exception()
