"""Who claims the next revision: of all writers of a replica only one at a time asks the database
for it, and who that is is decided here, by rank.

In a storm a hundred transactions are ready to write. In the database's queue for the one counter,
which knows no ranks, a person's change would stand behind all of them.
"""

from __future__ import annotations

import threading
from collections import deque

from metadata_server.domain.turn import RANKS, Rank

PLACES = 1
"""A second would stand in the database's queue already when the first is done, which is no
quicker; and of a replica that stands still each in turn would keep the counter for seconds."""
LONGEST_WAIT_S = 2.0
"""Then it goes on without a place. It may hold locks that one with a place needs; only the
database can see that, and only where both stand before it."""
FROM_BELOW = 8
"""Each so-many-th place goes to the lowest rank, so that none waits for ever."""


class Claims:
    """Places before the counter; for the store's threads.

    Attributes:
        places: at once.
    """

    def __init__(self, places: int = PLACES, *, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self.places = places
        self._longest_wait_s = longest_wait_s
        self._lock = threading.Lock()
        self._waiting: dict[Rank, deque[threading.Event]] = {rank: deque() for rank in RANKS}
        self._taken = 0
        self._given = 0

    def enter(self, rank: Rank) -> bool:
        """Waits for a place, which has to be left; False: it got none, and goes on without."""
        with self._lock:
            if self._taken < self.places:
                self._taken += 1
                return True
            place = threading.Event()
            self._waiting[rank].append(place)
        if place.wait(self._longest_wait_s):
            return True
        with self._lock:
            if place.is_set():  # given in the same moment
                return True
            self._waiting[rank].remove(place)
            return False

    def leave(self) -> None:
        """Gives the place to the next."""
        with self._lock:
            rank = self._next_rank()
            if rank is None:
                self._taken -= 1
            else:
                self._given += 1
                self._waiting[rank].popleft().set()

    def _next_rank(self) -> Rank | None:
        is_from_below = self._given % FROM_BELOW == FROM_BELOW - 1
        order = reversed(RANKS) if is_from_below else RANKS
        return next((rank for rank in order if self._waiting[rank]), None)
