"""Units between two unit servers: one has to let go of them before another takes them in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from metadata_server.domain.life.session import Session
from metadata_server.domain.refused import Refused
from metadata_server.services.life.hosting import held_among
from metadata_server.services.life.means import Means
from metadata_server.store.life.instantiations import end_leaving

LOOK_AGAIN_S, LONGEST_PAUSE_S = 0.5, 3.0
"""Between looks whether those that come have been let go of: longer each time."""

Marking = Callable[[AbstractSet[int]], None]


@dataclass(slots=True)
class Expected:
    """One unit that it is to let go of.

    Attributes:
        ids: by which it may know the unit.
        left: of those, what it has not said it of.
        due: until then it is waited for if it does not tell, by the clock of `Leaving`.
    """

    ids: frozenset[str]
    left: set[str]
    due: float


class Leaving:
    """What the unit server of one stream has yet to let go of. What is lost with the stream is told
    again on the next.

    Args:
        touch: has the next word go out.
        tells: it says so when it has let go; one of an older release does not, and is given as long
            as a lease runs.

    Attributes:
        clock: steady, in s.
        is_due: a look would find something.
    """

    def __init__(
        self, session: Session, means: Means, touch: Callable[[], None], *, tells: bool
    ) -> None:
        self._session = session
        self._means = means
        self._touch = touch
        self._tells = tells
        self.clock = time.monotonic
        self._expected: dict[int, Expected] = {}
        self._keys: dict[str, set[int]] = {}
        self._told: dict[str, int] = {}
        self._over: set[int] = set()
        self._words = 0
        self.is_due = False

    def expect(self, leaving: Mapping[int, Collection[str]]) -> None:
        """Units by their keys, with all the ids by which it may know them."""
        due = self.clock() + self._means.timing.lease_us / 1_000_000
        for key, ids in leaving.items():
            self._forget(key)
            self._expected[key] = Expected(frozenset(ids), set(ids), due)
            for id in ids:
                self._keys.setdefault(id, set()).add(key)

    def back(self, keys: AbstractSet[int]) -> None:
        """Units are hosted here again: what is said of their leaving counts no more."""
        for key in self._expected.keys() & keys:
            self._forget(key)

    def told(self, removed: Iterable[str]) -> int:
        """Takes down which ids it is told to let go of with a word; the word's number, 0: none."""
        removed = list(removed)
        if not removed:
            return 0
        self._words += 1
        self._told |= dict.fromkeys((id for id in removed if id in self._keys), self._words)
        return self._words

    def let_go(self, word: int, ids: Iterable[str]) -> None:
        """It has let go of what a word told. Of one that came back and left again since, a later
        word has told, and only the answer to that counts."""
        for id in ids:
            if self._told.get(id) != word:
                continue
            for key in self._keys.get(id, ()):
                left = self._expected[key].left
                left.discard(id)
                if not left:
                    self._over.add(key)
        if self._over:
            self.is_due = True
            self._touch()

    async def look(self) -> None:
        """Ends the waiting for those of which it has told, or will not: it tells of none, or they
        have an id that was not told, for it is another's by now. While the database is away,
        nothing ends; it is tried again with the next word."""
        self.is_due = False
        over = self._over | set(self._overdue())
        if not over:
            return
        session = self._session.id
        try:
            await self._means.store.transact(lambda unit: end_leaving(unit, session, over))
        except Refused:
            return
        for key in over:
            self._forget(key)

    def _overdue(self) -> Iterable[int]:
        now, told = self.clock(), self._told.keys() if self._tells else set()
        for key, each in self._expected.items():
            if each.due <= now and not each.ids <= told:
                yield key

    def _forget(self, key: int) -> None:
        self._over.discard(key)
        gone = self._expected.pop(key, None)
        for id in gone.ids if gone is not None else ():
            keys = self._keys[id]
            keys.discard(key)
            if not keys:
                del self._keys[id]
                self._told.pop(id, None)


class Coming:
    """What comes to one unit server when another has let go of it; looked for again and again, since
    nothing that is announced tells of it.

    Attributes:
        is_due: it is time for a look.
    """

    def __init__(
        self, session: Session, means: Means, touch: Callable[[], None], mark: Marking
    ) -> None:
        self._session = session
        self._means = means
        self._touch = touch
        self._mark = mark
        self._waiting: dict[int, str] = {}
        self._pause_s = LOOK_AGAIN_S
        self._timer: asyncio.TimerHandle | None = None
        self.is_due = False

    def wait_for(self, waiting: Mapping[int, str]) -> None:
        """See `hosting.held_among`."""
        if waiting.keys() - self._waiting.keys():
            self._pause_s = LOOK_AGAIN_S
        self._waiting.update(waiting)
        self._set_timer()

    async def look(self) -> None:
        """Has those taken in that have become free."""
        if not self.is_due:
            return
        self.is_due = False
        waiting, session = dict(self._waiting), self._session
        try:
            held = (
                await self._means.store.read(lambda unit: held_among(unit, session, waiting))
            ).value
        except Refused:  # the database is away
            held = waiting
        for key in waiting.keys() - held.keys():
            del self._waiting[key]
        self._mark(waiting.keys() - held.keys())
        self._pause_s = min(1.5 * self._pause_s, LONGEST_PAUSE_S)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._waiting and self._timer is None and not self.is_due:
            self._timer = asyncio.get_running_loop().call_later(self._pause_s, self._ring)

    def _ring(self) -> None:
        self._timer, self.is_due = None, True
        self._touch()
