"""Notices, in each replica, which units are in maintenance now: by what is declared, and by the
clock, for a maintenance begins and ends without anybody saying so."""

from __future__ import annotations

from collections.abc import Callable

from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.services.watching.following import keep_following
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.orchestration.maintenances import coverage_now, next_turn_us
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

LOOK_AGAIN_S = 60.0
"""The wait for a far end is cut into such pieces: the database's clock may be set."""
SHORTEST_S = 0.02


class Coverages:
    """Reads what is covered whenever it may be something else.

    Args:
        on_look: is told of it each time, also where it is the same.
    """

    def __init__(
        self, store: Store, tailer: Tailer, *, on_look: Callable[[Coverage], None]
    ) -> None:
        self._store = store
        self._tailer = tailer
        self._on_look = on_look

    async def run(self) -> None:
        """Looks until it is cancelled, or the replica drains."""
        await keep_following(self._tailer, self._follow, missed="maintenances_missed")

    async def _follow(self) -> None:
        async with self._tailer.subscribe(kinds={Kind.MAINTENANCE}) as changes:
            while True:
                await changes.next(await self._look())

    async def _look(self) -> float:
        """After how many seconds it may be something else by itself."""

        def work(unit: UnitOfWork) -> tuple[Coverage, int | None]:
            turn_us = next_turn_us(unit)
            return coverage_now(unit), None if turn_us is None else turn_us - unit.now_us

        coverage, wait_us = (await self._store.read(work)).value
        self._on_look(coverage)
        wait_s = LOOK_AGAIN_S if wait_us is None else wait_us / 1_000_000
        return min(max(wait_s, SHORTEST_S), LOOK_AGAIN_S)
