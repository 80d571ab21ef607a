"""What was read lately, kept until it changes, and told only when it is known to be current.

Most of a read's cost is the reading: a transaction, some rows, and the building of a message. A
replica keeps what it has read, and drops what the tailer says has changed. Who asks for something
kept waits for one look of the tailer that began after the question: one cheap read of the counter
for all who wait (etcd calls it a read index). So what is told is never older than the question.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from metadata_server.domain.change import Position
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.watching.subscription import Batch
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.store import Answer

MOST_BYTES = 64 * 1024 * 1024
OVERHEAD_BYTES = 1_000
"""Of all objects that keep a value here, roughly."""
FORGOTTEN_AFTER_S = 60.0
"""Following costs a reading of all changes: nothing is followed for those who have left."""
V = TypeVar("V")
F = TypeVar("F")
Origin = tuple[Kind, int]
"""Kind and key of something that a value was made of."""


@dataclass(eq=False, slots=True)
class Held(Generic[V]):
    """A value as it was read.

    Attributes:
        position: where it was read.
        origins: what it was made of.
        forms: what the wire has made of it, by what it calls that.
        bytes: that it takes with its forms, roughly.
        grown: told of each form how large it is; None: it is not kept.
    """

    value: V
    position: Position
    origins: Collection[Origin]
    forms: dict[str, Any] = field(default_factory=dict)
    bytes: int = OVERHEAD_BYTES
    grown: Callable[[int], None] | None = None

    def form(self, name: str, make: Callable[[], F], weigh: Callable[[F], int]) -> F:
        """A form, made when it is first asked for.

        Args:
            weigh: bytes that it takes; of the first one made, with those of the value.
        """
        if name not in self.forms:
            made = self.forms[name] = make()
            size = weigh(made)
            self.bytes += size
            if self.grown is not None:
                self.grown(size)
        found: F = self.forms[name]
        return found


class Remembered:
    """Values by what was asked for; a follower of the tailer for as long as anybody asks.

    Attributes:
        bytes: that all that is kept takes, roughly.

    Args:
        most_bytes: what was read longest ago makes room.
    """

    def __init__(self, tailer: Tailer, *, most_bytes: int = MOST_BYTES) -> None:
        self._tailer = tailer
        self._most_bytes = most_bytes
        self.bytes = 0
        self._held: dict[Hashable, Held[Any]] = {}
        self._made_of: dict[Origin, set[Hashable]] = {}
        self._loading: dict[Hashable, asyncio.Event] = {}
        self._since: Position | None = None
        self._joining = asyncio.Lock()
        self._asked_s = 0.0
        self.kinds: frozenset[Kind] = frozenset()

    async def get(
        self,
        asked: Hashable,
        load: Callable[[], Awaitable[Answer[V]]],
        origins_of: Callable[[V], Collection[Origin]],
    ) -> tuple[Held[V], Position]:
        """What was asked for, and a position that it is true at, not before the question.

        Args:
            asked: tells it from all else that is remembered here.
            origins_of: what a value is made of; nothing: it is not kept.

        Raises:
            Refused: by `load`; DATABASE_UNAVAILABLE, DRAINING.
        """
        self._asked_s = time.monotonic()
        if (loading := self._loading.get(asked)) is not None:
            # Begun before this question: what it finds has to be looked at like all that is held.
            await loading.wait()
        if asked in self._held:
            position = await self._tailer.look_now()
            # Perhaps another one by now, of somebody who asked meanwhile.
            if (held := self._held.get(asked)) is not None:
                return held, max(held.position, position)
        loading = self._loading[asked] = asyncio.Event()
        try:
            answer = await load()
            held = Held(answer.value, answer.position, origins_of(answer.value))
            if held.origins:
                await self._keep(asked, held)
        finally:
            loading.set()
            if self._loading.get(asked) is loading:
                del self._loading[asked]
        return held, answer.position

    async def _keep(self, asked: Hashable, held: Held[Any]) -> None:
        try:
            await self._follow(frozenset(kind for kind, _ in held.origins))
        except Refused:
            # This replica is stopping, or sees nothing just now: what was read is true all the same.
            return
        # What has been told since it was read may have been about it.
        heard = self._tailer.position
        if self._since is None or heard is None or held.position < max(self._since, heard):
            return
        self._drop(asked)
        self._held[asked] = held
        for origin in held.origins:
            self._made_of.setdefault(origin, set()).add(asked)
        held.grown = self._grow
        self._grow(held.bytes)

    async def _follow(self, kinds: frozenset[Kind]) -> None:
        """Has the tailer tell of these kinds, too. Until it does, nothing that is read is known to
        be current: a look under way has not asked for them."""
        async with self._joining:
            more = self.kinds | kinds
            if self._since is not None and more == self.kinds:
                return
            self.kinds, self._since = more, None
            since = await self._tailer.follow(self)
            if self.kinds == more:  # else another history has begun meanwhile
                self._since = since

    def _grow(self, size: int) -> None:
        """What is kept has become larger by so many bytes."""
        self.bytes += size
        while self.bytes > self._most_bytes and self._held:
            self._drop(next(iter(self._held)))

    def _drop(self, asked: Hashable) -> None:
        held = self._held.pop(asked, None)
        if held is None:
            return
        held.grown = None
        self.bytes -= held.bytes
        for origin in held.origins:
            self._made_of[origin].discard(asked)
            if not self._made_of[origin]:
                del self._made_of[origin]

    def offer(self, batch: Batch, kinds: frozenset[Kind]) -> None:
        """Drops what has changed; everything, when nobody has asked for long."""
        if time.monotonic() - self._asked_s > FORGOTTEN_AFTER_S:
            self._forget()
            self._tailer.unfollow(self)
        elif kinds & self.kinds:
            for change in batch.changes:
                for asked in tuple(self._made_of.get((change.kind, change.key), ())):
                    self._drop(asked)

    def end(self, _: Refused) -> None:
        """Another history has begun, or this replica is stopping."""
        self._forget()

    def _forget(self) -> None:
        for held in self._held.values():
            held.grown = None
        self._held.clear()
        self._made_of.clear()
        self.bytes = 0
        self._since, self.kinds = None, frozenset()
