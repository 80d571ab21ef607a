"""Units between two unit servers: one has to let go of them before another takes them in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from metadata_server.domain.life.session import Session
from metadata_server.services.life.means import Means
from metadata_server.store.life.instantiations import end_leaving

LOOK_AGAIN_S = 0.5
"""Between looks whether those that come have been let go of."""


class Leaving:
    """What the unit server of one stream has yet to let go of. What is lost with the stream is told
    again on the next.

    Args:
        tells: it says so when it has let go; one of an older release does not, and is given as long
            as a lease runs.

    Attributes:
        clock: steady, in s.
    """

    def __init__(self, session: Session, means: Means, *, tells: bool) -> None:
        self._session = session
        self._means = means
        self._tells = tells
        self.clock = time.monotonic
        self._ids: dict[int, set[str]] = {}
        self._due: dict[int, float] = {}
        self._told: dict[str, int] = {}
        self._words = 0

    def expect(self, leaving: Mapping[int, Collection[str]]) -> None:
        """Units by their keys, with all the ids by which it may know them."""
        due = self.clock() + self._means.timing.lease_us / 1_000_000
        for key, ids in leaving.items():
            self._ids[key], self._due[key] = set(ids), due

    def told(self, removed: Iterable[str]) -> int:
        """Takes down which ids it is told to let go of with a word; the word's number, 0: none."""
        removed = list(removed)
        if not removed:
            return 0
        self._words += 1
        self._told |= dict.fromkeys(removed, self._words)
        return self._words

    async def let_go(self, word: int, ids: Iterable[str]) -> None:
        """It has let go of what a word told. Of one that came back and left again since, a later
        word has told, and only the answer to that counts.

        Raises:
            Refused: DATABASE_UNAVAILABLE.
        """
        for id in ids:
            if self._told.get(id) == word:
                for waiting in self._ids.values():
                    waiting.discard(id)
        await self._end([key for key, waiting in self._ids.items() if not waiting])

    async def look(self) -> None:
        """Ends the waiting for those of which it will not tell: it tells of none, or they have an id
        that was not told, for it is another's by now.

        Raises:
            Refused: DATABASE_UNAVAILABLE.
        """
        now = self.clock()
        over = [key for key, due in self._due.items() if due <= now]
        told = self._told.keys() if self._tells else set()
        await self._end([key for key in over if not self._ids[key] <= told])

    async def _end(self, keys: Collection[int]) -> None:
        if keys:
            session = self._session.id
            await self._means.store.transact(lambda unit: end_leaving(unit, session, keys))
        for key in keys:
            self._ids.pop(key, None)
            self._due.pop(key, None)


class Coming:
    """What comes to one unit server when another has let go of it; looked at again and again, since
    nothing that is announced tells of it."""

    def __init__(self, mark: Callable[[Collection[int]], None]) -> None:
        self._mark = mark
        self._keys: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None

    def wait_for(self, keys: Collection[int]) -> None:
        self._keys.update(keys)
        if self._keys and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._look)

    def _look(self) -> None:
        keys, self._keys, self._timer = self._keys, set(), None
        self._mark(keys)
