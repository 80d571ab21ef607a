"""When a unit that has failed is tried again, without anybody asking for it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from control_units.control_unit import ControlUnit


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a unit server tries by itself, and how long it waits before.

    Attributes:
        attempts: at most; 0: it waits for people at once.
        pause_s: longest possible wait before the first; each further one may be twice as long.
        longest_pause_s: longest possible wait ever. A unit that has been well for so long has
            its attempts back.
    """

    attempts: int
    pause_s: float
    longest_pause_s: float

    @classmethod
    def of(cls, of_class: type[ControlUnit], *, attempts: int | None) -> Patience:
        """That of a class of units, unless its unit server is told how often (None: it is not)."""
        return cls(
            of_class.recover_attempts if attempts is None else attempts,
            of_class.recover_pause,
            of_class.longest_recover_pause,
        )


class Recovery:
    """The attempts to get one unit out of its errors.

    Attributes:
        attempts: made since people last said something, or the unit was last well for long.
        next: when the next one is due, by the steady clock, in s; None: none is planned.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._well_since: float | None = None
        self.attempts = 0
        self.next: float | None = None

    @property
    def is_due(self) -> bool:
        return self.next is not None and self._clock() >= self.next

    def fail(self, patience: Patience) -> float | None:
        """The unit has failed: after how many seconds the next attempt is due; None: there is
        none. At least half of the longest possible wait: devices need their time, too."""
        now = self._clock()
        well_since, self._well_since = self._well_since, None
        if well_since is not None and now - well_since >= patience.longest_pause_s:
            self.attempts = 0
        if self.attempts >= patience.attempts:
            self.next = None
            return None
        ceiling = min(patience.longest_pause_s, patience.pause_s * 2.0 ** min(self.attempts, 30))
        pause = random.uniform(ceiling / 2, ceiling)
        self.next = now + pause
        return pause

    def begin(self, *, is_ordered: bool) -> None:
        """An attempt is made; one that people order counts from the beginning."""
        self.attempts = 0 if is_ordered else self.attempts + 1
        self.next = None

    def arrive(self) -> None:
        """The unit is where people want it; whether it stays there, it has to show."""
        self.next = None
        if self._well_since is None:
            self._well_since = self._clock()

    def forget(self) -> None:
        """People have said something: what failed before may not fail any more."""
        self.attempts = 0
        self.next = None
