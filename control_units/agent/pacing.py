"""How often an agent launches again: later after each failure, and not for ever."""

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
        level_interval_s: between the last launch of a level and the first of a higher one.
        look_again_s: how often it is asked whether another process that is a unit server has
            ended.
        grace_s: from SIGTERM to SIGKILL; longer than a unit server of the SDK takes to end.
    """

    launch_interval_s: float = 0.2
    level_interval_s: float = 2.0
    look_again_s: float = 1.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    restarts: int = 10
    window_s: float = 600.0
    grace_s: float = 25.0


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
