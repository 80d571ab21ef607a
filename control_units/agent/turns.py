"""When each launch of an agent is due: one after the other, lower levels first."""

import asyncio
import bisect
import contextlib
import time


class LaunchTurns:
    """Spreads launches: a host that boots does not start all its programs in one moment.

    Args:
        interval_s: between two launches.
        level_interval_s: between the last launch of a level and the first of a higher one, for
            what was launched to come up.
    """

    def __init__(self, interval_s: float, level_interval_s: float) -> None:
        self._interval_s = interval_s
        self._level_interval_s = level_interval_s
        self._waiting: list[tuple[int, str]] = []
        self._changed = asyncio.Condition()
        self._last_s = float("-inf")
        self._last_level = 0

    async def turn(self, level: int, unit_server: str) -> None:
        """Returns when no unit server of a lower level waits, nor one of the same level with an
        id that comes before."""
        mine = (level, unit_server)
        async with self._changed:
            bisect.insort(self._waiting, mine)
            self._changed.notify_all()
            try:
                while (pause_s := self._pause_s(mine)) != 0.0:
                    # Who comes meanwhile may go before.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(pause_s):
                            await self._changed.wait()
                self._last_s, self._last_level = time.monotonic(), level
            finally:
                self._waiting.remove(mine)
                self._changed.notify_all()

    def _pause_s(self, mine: tuple[int, str]) -> float | None:
        """Seconds until it may be someone's turn; None: others come first."""
        if self._waiting[0] != mine:
            return None
        goes_up = mine[0] > self._last_level
        interval_s = self._level_interval_s if goes_up else self._interval_s
        return max(0.0, self._last_s + interval_s - time.monotonic())
