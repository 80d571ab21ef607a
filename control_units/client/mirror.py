"""A copy of some resources that stays current."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import structlog
from google.protobuf.message import Message
from mds.v1.position_pb2 import Position
from mds.v1.watch_pb2 import Event

from control_units.client.backoff import Backoff
from control_units.client.calls import Caller
from control_units.client.changes import Changes
from control_units.client.errors import ClientError, HistoryGone
from control_units.client.resource_changes import Change, difference, image_of, merge

if TYPE_CHECKING:
    from control_units.client.collections import Watched

R = TypeVar("R", bound=Message)
CURRENT_S = 5.0
"""So long after the last word of a server a mirror counts as current: one comes every 2 s."""

log = structlog.get_logger()


Callback = Callable[[list[Change[R]]], object]


class Bell:
    """Wakes all who wait, each time that it rings."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    async def wait(self) -> None:
        await self._next.wait()

    def ring(self) -> None:
        self._next.set()
        self._next = asyncio.Event()


class Mirror(Generic[R]):
    """All resources of a kind that pass, by id: listed once, then kept current by a watch.

    `mirror["DAFNE/PL/QSK"]`, `in`, `len`, iteration over ids, `get`, `values`, `items`. What it
    holds is always as of one revision; it belongs to the mirror: copy a message before you write
    to it. While no server answers it holds what it knew, and says so. When the history that it
    would go on from is gone, it lists again, and tells what has become of its resources.

    Attributes:
        position: as of where it is.
        failure: why it has ended by itself (a filter that is not understood by the next server);
            None: it has not.
    """

    position: Position
    failure: ClientError | None

    def __init__(self, noun: "Watched[R]", caller: Caller, *, id_prefix: str, filter: str) -> None:
        self._noun = noun
        self._wanted = {"id_prefix": id_prefix, "filter": filter}
        self._changes = Changes(caller, [noun.kind], id_prefix=id_prefix, filter=filter)
        self._resources: dict[str, R] = {}
        self._callbacks: list[Callback[R]] = []
        self._task: asyncio.Task[None] | None = None
        self._changed, self._heard_from = Bell(), Bell()
        self._heard_at = float("-inf")
        self.position = Position()
        self.failure = None

    async def __aenter__(self) -> Self:
        await self._list()
        self._task = asyncio.create_task(self._keep(), name=f"mirror of {self._noun.collection}")
        self._task.add_done_callback(lambda _: self._ring())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._changes.close()

    def __getitem__(self, id: str) -> R:
        return self._resources[self._id(id)]

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self._id(id) in self._resources

    def __len__(self) -> int:
        return len(self._resources)

    def __iter__(self) -> Iterator[str]:
        """Ids, as they are when it begins."""
        return iter(tuple(self._resources))

    def get(self, id: str) -> R | None:
        """The resource with this id; None: it is not here."""
        return self._resources.get(self._id(id))

    def values(self) -> list[R]:
        """All resources, as they are now."""
        return list(self._resources.values())

    def items(self) -> list[tuple[str, R]]:
        """All ids with their resources, as they are now."""
        return list(self._resources.items())

    @property
    def is_current(self) -> bool:
        """Whether a server has just said that nothing is missing."""
        return self.stale_since is None

    @property
    def stale_since(self) -> datetime | None:
        """When a server last said that nothing is missing, UTC; None: it is current."""
        age = time.monotonic() - self._heard_at
        is_told = self._changes.failure is None and self.failure is None and self._is_kept
        if is_told and age < CURRENT_S:
            return None
        return datetime.now(UTC) - timedelta(seconds=age)

    def on_change(self, callback: Callback[R]) -> Callable[[], None]:
        """Calls a function with all that has changed at once, each time; until what is returned
        is called. It is called between two steps of the loop: it must be quick. What it raises
        is logged, and the mirror goes on."""
        self._callbacks.append(callback)

        def stop() -> None:
            with suppress(ValueError):
                self._callbacks.remove(callback)

        return stop

    async def changes(self) -> AsyncGenerator[Change[R], None]:
        """What changes from now on, as fast as its reader takes it: what changes several times
        in between is told once, with what it was before and what it is now.

        Raises:
            ClientError: the mirror has ended by itself.
        """
        waiting: dict[str, Change[R]] = {}
        stop = self.on_change(lambda changes: merge(waiting, changes))
        try:
            while True:
                while waiting:
                    yield waiting.pop(next(iter(waiting)))
                if not self._is_kept:
                    return
                await self.changed()
        finally:
            stop()

    async def changed(self, *, timeout: float | None = None) -> None:
        """Waits until something in it changes, or it ends.

        Raises:
            ClientError: the mirror has ended by itself.
            TimeoutError: nothing has in that many seconds.
        """
        async with asyncio.timeout(timeout):
            await self._changed.wait()
        if self.failure is not None:
            raise self.failure

    async def reached(self, position: str, *, timeout: float | None = None) -> None:
        """Waits until it holds what was there at a position: `client.position` after a call of
        one's own.

        Raises:
            ClientError: the mirror has ended by itself.
            TimeoutError: it has not come there in that many seconds.
        """
        store_id, epoch, revision = position.split("/")
        aim = (int(epoch), int(revision))
        async with asyncio.timeout(timeout):
            while store_id == self.position.store_id and self._place() < aim and self._is_kept:
                await self._heard_from.wait()
        if self.failure is not None:
            raise self.failure

    @property
    def _is_kept(self) -> bool:
        return self._task is not None and not self._task.done()

    def _place(self) -> tuple[int, int]:
        return (self.position.epoch, self.position.revision)

    def _id(self, id: str) -> str:
        return id.removeprefix(f"{self._noun.collection}/")

    async def _keep(self) -> None:
        backoff = Backoff(first=0.2, longest=3.0)
        is_listed = True
        while True:
            try:
                if not is_listed:
                    await self._list()
                is_listed = True
                async for word in self._changes:
                    backoff.reset()
                    self._take(word.position, self._apply(word.events))
            except HistoryGone:
                is_listed = False
            except ClientError as failure:  # of the list; the watch goes on by itself
                if not failure.is_transient:
                    self._fail(failure)
                    return
            await asyncio.sleep(backoff.next())

    async def _list(self) -> None:
        """Reads all of them, as of one position, from which the watch goes on."""
        position = Position()
        listed: dict[str, R] = {}
        async for page in self._noun.pages(self._wanted):
            position = page.position
            for resource in getattr(page, self._noun.collection):
                listed[self._noun.id(resource)] = resource
        changes = difference(self._resources, listed)
        self._resources = listed
        self._changes.position = position
        self._take(position, changes)

    def _apply(self, events: Iterable[Event]) -> list[Change[R]]:
        """Makes changes here, too; those that are known already are none."""
        changes: dict[str, Change[R]] = {}
        for event in events:
            id, former_id = self._id(event.name), self._id(event.former_name)
            known_as = former_id if former_id in self._resources else id
            before = self._resources.pop(former_id, None) or self._resources.get(id)
            after: R | None = image_of(event)
            if after is None:
                self._resources.pop(id, None)
            else:
                self._resources[id] = after
            if before != after:
                former_id = known_as if known_as != id else ""
                merge(changes, [Change(id, before, after, former_id)])
        return list(changes.values())

    def _take(self, position: Position, changes: list[Change[R]]) -> None:
        self.position = position
        self._heard_at = time.monotonic()
        self._tell(changes)
        self._heard_from.ring()

    def _tell(self, changes: list[Change[R]]) -> None:
        if changes:
            for callback in tuple(self._callbacks):
                try:
                    callback(changes)
                except Exception:  # of the user's own; the mirror serves others, too
                    log.exception("callback_failed", mirror=self._noun.collection)
            self._changed.ring()

    def _fail(self, failure: ClientError) -> None:
        self.failure = failure
        self._ring()

    def _ring(self) -> None:
        self._changed.ring()
        self._heard_from.ring()
