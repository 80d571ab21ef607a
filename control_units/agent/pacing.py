"""When an agent launches: one after the other, later after each failure, and not for ever."""

import asyncio
import time
from dataclasses import dataclass

from control_units.client import Backoff


@dataclass(frozen=True, slots=True)
class Limits:
    """What an agent does how often, and how long it waits.

    Attributes:
        launch_interval_s: between two launches of one agent.
        first_pause_s: longest possible pause before a program is started again for the first
            time; each further one within the window may be twice as long.
        longest_pause_s: longest possible pause ever.
        restarts: how often a program is started again within the window, at most.
        window_s: of that count.
        grace_s: from SIGTERM to SIGKILL; longer than a unit server of the SDK takes to end.
    """

    launch_interval_s: float = 0.2
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    restarts: int = 10
    window_s: float = 600.0
    grace_s: float = 25.0


class LaunchTurns:
    """Spreads launches: a host that boots does not start all its programs in one moment."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._next = 0.0
        self._lock = asyncio.Lock()

    async def turn(self) -> None:
        """Returns when it is the caller's turn; first come, first served."""
        async with self._lock:
            await asyncio.sleep(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + self._interval_s


class Restarts:
    """How often one program has been started again, and when it may be next."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._times: list[float] = []
        self._backoff = Backoff(first=limits.first_pause_s, longest=limits.longest_pause_s)

    def next(self, now: float) -> float | None:
        """Seconds to wait before it is started again; None: too often already, give up.

        Args:
            now: in s, of a clock that never goes back.
        """
        self._times = [time for time in self._times if now - time < self._limits.window_s]
        if not self._times:
            self._backoff.reset()
        if len(self._times) >= self._limits.restarts:
            return None
        self._times.append(now)
        return self._backoff.next()

    def forget(self) -> None:
        """It counts from the beginning: what failed has been changed."""
        self._times.clear()
