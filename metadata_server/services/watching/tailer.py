"""One reader of the changes for all who follow them on this replica.

It looks at once after a commit of its own replica or when somebody wants to know, and every 100 ms
for commits of others, 250 ms where nothing has happened for a while: one cheap read of the counter,
and only when that has moved, of the rows. Nobody waits for a follower; a slow one is ended and comes
back from where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import NamedTuple, Protocol
from weakref import WeakValueDictionary

import structlog

from metadata_server.domain.change import Position, Subject
from metadata_server.domain.horizon import history_reset
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.watching.pieces import is_ahead, look_after, piece_after
from metadata_server.services.watching.recent import Recent, is_same_history
from metadata_server.services.watching.sent_away import sees_nothing, sent_elsewhere
from metadata_server.services.watching.subscription import Batch, Subscription
from metadata_server.store.past.changes import ALL_KINDS
from metadata_server.store.past.past_statuses import subjects_at
from metadata_server.store.revision import begin_epoch
from metadata_server.store.store import Answer, Store
from metadata_server.store.turns import asking, on_behalf_of
from metadata_server.store.unit_of_work import UnitOfWork

PERIOD_S = 0.1
QUIET_AFTER_S = 5.0
QUIET_PERIODS = 2.5
"""When nothing has happened for so long, fewer looks do: an idle replica's looks are most of what
it costs."""
LONGEST_PAUSE_S = 2.0
CROWD, GATHER_S = 2, 0.005
APPLYING_S = (0.1, 0.2, 0.4, 0.8)
"""Between looks for what a node of the database may not have applied yet."""
REST_S = 50e-6
"""About what it takes to tell one follower one thing."""
log = structlog.get_logger()


class Piece(NamedTuple):
    """Changes of some kinds after a position."""

    after: Position
    kinds: frozenset[Kind]


Asked = asyncio.Future[Refused | None]
"""Somebody who waits for a look; its problem."""


class Follower(Protocol):
    """Is offered what happens; must not wait."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """Of changes that it wants to be offered."""

    def offer(self, batch: Batch, kinds: frozenset[Kind]) -> None:
        """Takes a batch that holds changes of some kinds."""

    def end(self, refused: Refused) -> None:
        """Nothing more will be offered, or what was offered is no longer true."""


class Tailer:
    """Follows the one order of changes, and hands it to those who subscribe.

    Attributes:
        draining: set once this replica is stopping.
    """

    def __init__(self, store: Store, *, period_s: float = PERIOD_S) -> None:
        self._store = store
        self._period_s = period_s
        self._position: Position | None = None
        self._followers: set[Follower] = set()
        self._recent = Recent()
        self._pieces: WeakValueDictionary[Piece, Batch] = WeakValueDictionary()
        self._piece_turns: WeakValueDictionary[Piece, asyncio.Lock] = WeakValueDictionary()
        self._asked: list[Asked] = []
        self._crowd = 0
        self._has_ended = False
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looked_s = self._moved_s = time.monotonic()
        self.draining = asyncio.Event()
        store.on_commit(self._committed)

    @property
    def followers(self) -> int:
        """How many subscriptions there are."""
        return len(self._followers)

    @property
    def lag_s(self) -> float:
        """For how long it has not seen the database; up to its period when all is well."""
        return time.monotonic() - self._looked_s

    @property
    def position(self) -> Position | None:
        """Up to where it has told everything; None: it has not looked yet."""
        return self._position

    async def look_now(self) -> Position:
        """Returns once a look that began after this call has told what it found.

        Returns:
            up to where everything has been told.

        Raises:
            Refused: DATABASE_UNAVAILABLE, DRAINING.
        """
        if self._has_ended:
            raise sent_elsewhere()
        asked: Asked = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._wake.set()
        refused = await asked
        if refused is not None:
            raise refused
        assert self._position is not None
        return self._position

    def _committed(self, _: Position) -> None:
        """Called in a thread of the store."""
        loop = self._loop  # the end of `run` takes it away, in another thread
        if loop is not None:
            with suppress(RuntimeError):  # closed meanwhile: nobody is told any more
                loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Looks for ever; an outage of the database is logged once, and waited for."""
        self._loop = asyncio.get_running_loop()
        failures = 0
        try:
            while True:
                failures = await self._try(failures)
                is_quiet = not failures and time.monotonic() - self._moved_s > QUIET_AFTER_S
                periods = QUIET_PERIODS if is_quiet else 2**failures
                pause = min(self._period_s * periods, LONGEST_PAUSE_S)
                if failures or not self._asked:
                    await self._sleep(pause, deaf=failures > 0)
                if not failures:
                    await self._rest()
                    await self._gather()
        finally:
            self._loop, self._has_ended = None, True
            answer(self._asked, sent_elsewhere())

    async def _try(self, failures: int) -> int:
        """Looks until nothing is left; how many looks have failed in a row."""
        asked: list[Asked] = []
        problem = sent_elsewhere()
        try:
            async with self._turn:
                asked, self._asked = self._asked, []
                self._crowd = len(asked)
                while await self._look():
                    pass
        except Refused as refused:
            problem = refused
            if not failures:
                log.warning("tailer_sees_nothing", reason=refused.reason)
            if refused.reason == "NEWER_CONTENT":
                self._send_away(refused)
            return min(failures + 1, 10)
        except Exception:  # the top of a loop: it goes on
            problem = sees_nothing()
            log.exception("tailer_failed")
            return min(failures + 1, 10)
        else:
            answer(asked, None)
        finally:
            answer(asked, problem)
        if failures:
            log.info("tailer_sees_again")
        return 0

    async def _sleep(self, pause_s: float, *, deaf: bool) -> None:
        if deaf:
            await asyncio.sleep(pause_s)
            return
        try:
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    async def _rest(self) -> None:
        """While what was told last is on its way to many, what happens is gathered: it then goes
        to them in one message. Whoever asks for a look has it at once."""
        told = self._moved_s + REST_S * len(self._followers)
        while not self._asked and (left := told - time.monotonic()) > 0:
            await self._sleep(left, deaf=False)

    async def _gather(self) -> None:
        """Where many ask, they are told by one look: looks one after the other, for a few each,
        cost more than all else about their questions. Few do not wait."""
        if self._crowd >= CROWD:
            await asyncio.sleep(GATHER_S)

    async def _look(self) -> bool:
        """Reads a piece of what happened, and hands it out; whether there is more."""
        last = self._position
        self._recent.forget_old()
        if last is not None and await self._store.glance() == last:
            self._looked_s = time.monotonic()
            return False
        kinds = frozenset[Kind]().union(*(each.kinds for each in self._followers))
        read = await self._store.read(lambda unit: look_after(unit, last, kinds), fast_lane=True)
        look = read.value
        self._looked_s = time.monotonic()
        present = look.present
        if last is None:
            self._position = present
        elif not is_same_history(present, last):
            self._reset(present)
        elif present.revision < last.revision:
            await self._begin_epoch(last)
        elif look.until > last.revision:
            batch = Batch(replace(present, revision=look.until), look.changes)
            self._recent.add(last, batch, kinds)
            self._publish(batch)
            return look.until < present.revision
        return False

    def _publish(self, batch: Batch) -> None:
        self._position = batch.position
        self._moved_s = time.monotonic()
        kinds = frozenset(change.kind for change in batch.changes)
        for follower in tuple(self._followers):
            follower.offer(batch, kinds)

    def _reset(self, present: Position) -> None:
        """Another history has begun: all that followers know may be wrong."""
        log.warning("history_reset", epoch=present.epoch, revision=present.revision)
        self._position = present
        self._recent.forget()
        for follower in self._followers:
            message = "The store was restored to another state. Read everything again."
            follower.end(history_reset(message, present))

    async def _begin_epoch(self, last: Position) -> None:
        """The counter went back: the database was restored. Whoever sees it first says so.

        The look may have met a node that lags behind; so the transaction looks again, where
        writers do.
        """

        def work(unit: UnitOfWork) -> None:
            if unit.position.epoch == last.epoch and unit.position.revision < last.revision:
                begin_epoch(unit.connection, last.epoch)

        await self._store.transact(work)

    async def before(self, batch: Batch, kind: Kind) -> dict[int, Subject]:
        """What the resources of one kind in a batch were before it, by key.

        Raises:
            Refused: DATABASE_UNAVAILABLE.
        """
        ids = {each.key: each.id_before for each in batch.changes if each.kind is kind}
        keys = {id: key for key, id in ids.items() if id}
        if not keys:
            return {}
        revision = batch.changes[0].revision - 1
        answer = await self._store.read(lambda unit: subjects_at(unit, kind, keys, revision))
        return answer.value

    def _send_away(self, refused: Refused) -> None:
        """Has followers go on elsewhere: what comes next they would never hear of here."""
        for follower in self._followers:
            follower.end(refused)

    def drain(self) -> None:
        """Ends all subscriptions, and takes no more: this replica is stopping."""
        self.draining.set()
        for follower in self._followers:
            follower.end(sent_elsewhere())

    @asynccontextmanager
    async def subscribe(
        self, after: Position | None = None, *, kinds: Collection[Kind] = ALL_KINDS
    ) -> AsyncIterator[Subscription]:
        """Follows the changes after a position, or from now on.

        Each change is handed out once, in order; a revision is in one batch. A batch may hold
        changes of other kinds too.

        Raises:
            Refused: DRAINING; DATABASE_UNAVAILABLE; and see `Subscription.next`.
        """
        if self.draining.is_set():
            raise sent_elsewhere()
        subscription = Subscription(frozenset(kinds), after, self._catch_up)
        try:
            if after is None:
                await self._join(subscription)
                subscription.caught_up()
            yield subscription
        finally:
            self.unfollow(subscription)
            subscription.close()

    async def follow(self, follower: Follower) -> Position:
        """What happens after the position returned is offered to the follower.

        Raises:
            Refused: DRAINING; DATABASE_UNAVAILABLE.
        """
        async with self._turn:  # a look under way does not know its kinds
            if self._position is None:
                await self._look()
            if self.draining.is_set():
                raise sent_elsewhere()
            assert self._position is not None
            self._followers.add(follower)
            return self._position

    def unfollow(self, follower: Follower) -> None:
        self._followers.discard(follower)

    async def _join(self, subscription: Subscription) -> Position:
        start = await self.follow(subscription)
        subscription.begin(start)
        return start

    async def _catch_up(self, subscription: Subscription) -> Batch | None:
        """The next piece of the past; None: there is none left.

        It joins the live end when it has come near it, and reads what lies between: so nothing
        is missed, and what is then offered twice is dropped.
        """
        reached = subscription.reached
        assert reached is not None
        batch = self._recent.after(reached, subscription.kinds)
        if batch is None and reached == self._position:
            batch = Batch(reached, ())  # it has missed nothing
        present = self._position
        if batch is None:
            batch, present = await self._read_piece(Piece(reached, subscription.kinds))
        if batch.position == present:
            joined = subscription in self._followers
            start = await self._join(subscription)
            if joined or start <= batch.position:
                subscription.caught_up()
        return batch if batch.changes or batch.position > reached else None

    async def _read_piece(self, piece: Piece) -> tuple[Batch, Position | None]:
        """One piece of the past, read once for all who want it at a time; and where the database
        stood, if that is known."""
        async with self._piece_turns.setdefault(piece, asyncio.Lock()):
            batch = self._pieces.get(piece)
            if batch is not None:
                return batch, None
            if piece.after == self._position:  # the tailer has come here while others were read to
                return Batch(piece.after, ()), piece.after
            # Who was refused would ask again, for more by then; how many watch has its own bound.
            with on_behalf_of(replace(asking.get(), is_patient=True)):
                read = await self._piece_once_applied(piece)
            if read.value.position > piece.after:  # that nothing came since is true only now
                self._pieces[piece] = read.value
            return read.value, read.position

    async def _piece_once_applied(self, piece: Piece) -> Answer[Batch]:
        """One piece of the past. A node that became the writer just now may still be applying what
        the one before it told of: that is no other history unless it lasts."""
        for pause_s in APPLYING_S:
            read = await self._store.read(
                lambda unit: (
                    None if is_ahead(piece.after, unit.position) else piece_after(unit, *piece)
                )
            )
            if read.value is not None:
                return Answer(read.value, read.position)
            await asyncio.sleep(pause_s)
        return await self._store.read(lambda unit: piece_after(unit, *piece))


def answer(asked: Collection[Asked], problem: Refused | None) -> None:
    """Tells those who wait for a look how it went; the first word counts."""
    for each in asked:
        if not each.done():
            each.set_result(problem)
