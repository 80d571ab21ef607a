"""Watching: what happens, filtered, from a position on, with bookmarks where nothing passes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from weakref import WeakKeyDictionary

from metadata_server.domain.change import Change, Position, Subject
from metadata_server.domain.refused import Refused
from metadata_server.domain.watch import Event, Notice, WatchFilter, events_of
from metadata_server.services.watching.patience import with_signs_of_life
from metadata_server.services.watching.sent_away import grown_old
from metadata_server.services.watching.subscription import Batch, Subscription
from metadata_server.services.watching.tailer import Tailer

BOOKMARK_S = 2.0
AGE_JITTER = 0.1
MOST = 4_000
CHANGES_AT_ONCE = 2_000
"""Of more, a thread finds out which pass: this replica has others to answer meanwhile."""


class Watching:
    """Serves watchers.

    Args:
        age_s: about how long a watcher is served before it is sent elsewhere.
        bookmark_s: a watcher hears at least so often, even if nothing passes its filter.
        most: so many watchers are served at once.
    """

    def __init__(
        self, tailer: Tailer, *, age_s: float, bookmark_s: float = BOOKMARK_S, most: int = MOST
    ) -> None:
        self._tailer = tailer
        self._age_s = age_s
        self._bookmark_s = bookmark_s
        self._most = most
        self._served = 0
        self._turn = asyncio.Lock()
        self._notices: WeakKeyDictionary[Batch, dict[WatchFilter, Notice]] = WeakKeyDictionary()

    async def watch(
        self, wanted: WatchFilter, after: Position | None
    ) -> AsyncGenerator[Notice, None]:
        """What happens after a position, or from now on: in order, each change once, a
        revision never split, none missed. Watchers with equal filters are told equal objects.

        Raises:
            Refused: HISTORY_TRIMMED, HISTORY_RESET, WATCHER_TOO_SLOW, DRAINING (also of old
                age), DATABASE_UNAVAILABLE, TOO_BUSY.
        """
        if self._served >= self._most:
            raise too_many(self._most)
        self._served += 1
        try:
            async with aclosing(self._serve(wanted, after)) as notices:
                async for notice in notices:
                    yield notice
        finally:
            self._served -= 1

    async def _serve(
        self, wanted: WatchFilter, after: Position | None
    ) -> AsyncGenerator[Notice, None]:
        old = time.monotonic() + self._age_s * random.uniform(1 - AGE_JITTER, 1 + AGE_JITTER)
        async with self._tailer.subscribe(after, kinds=wanted.followed) as changes:
            if after is None:
                yield bookmark(changes)
            due = time.monotonic() + self._bookmark_s
            while (now := time.monotonic()) < old:
                before = bookmark(changes)
                batch = await changes.next(max(0.0, min(due, old) - now))
                if batch is None:
                    notice = bookmark(changes)
                elif len(batch.changes) <= CHANGES_AT_ONCE:
                    notice = await self.notice_of(batch, wanted)
                else:
                    making = with_signs_of_life(self.notice_of(batch, wanted), self._bookmark_s)
                    async with aclosing(making) as signs:
                        async for made in signs:
                            notice = made or before
                            if made is None:
                                yield before
                if notice.events or time.monotonic() >= due:
                    due = time.monotonic() + self._bookmark_s
                    yield notice
        raise grown_old()

    async def notice_of(self, batch: Batch, wanted: WatchFilter) -> Notice:
        """What passes of a batch; made once for all watchers that have the same filter.

        Raises:
            Refused: HISTORY_TRIMMED, where something has got another name that resources are
                wanted by: their list has to be read again.
        """
        known = self._notices.setdefault(batch, {})
        if wanted in known:
            return known[wanted]
        if not wanted.filter and len(batch.changes) <= CHANGES_AT_ONCE:
            known[wanted] = Notice(batch.position, events_of(batch.changes, wanted))
            return known[wanted]
        async with self._turn:
            if wanted not in known:
                known[wanted] = Notice(batch.position, await self._events_of(batch, wanted))
        return known[wanted]

    async def _events_of(self, batch: Batch, wanted: WatchFilter) -> tuple[Event, ...]:
        before = await self._before(batch, wanted) if wanted.filter else None
        if len(batch.changes) <= CHANGES_AT_ONCE:
            return events_of(batch.changes, wanted, before)
        return await asyncio.to_thread(events_of, batch.changes, wanted, before)

    async def _before(self, batch: Batch, wanted: WatchFilter) -> Mapping[int, Subject]:
        renamed = next(filter(wanted.is_upset_by, batch.changes), None)
        if renamed is not None:
            raise list_again(renamed)
        (kind,) = wanted.kinds
        return await self._tailer.before(batch, kind)


def too_many(most: int) -> Refused:
    return Refused.pressure(
        "TOO_BUSY",
        f"This replica serves {most} watches, as many as it may (MDS_WATCHES). Go to another one, "
        "or come back later.",
        retry_after_ms=5_000,
    )


def list_again(renamed: Change) -> Refused:
    now, before = renamed.kind.name_of(renamed.id), renamed.kind.name_of(renamed.id_before)
    return Refused.trimmed(
        "HISTORY_TRIMMED",
        f"{before} is called {now} since revision {renamed.revision}, and what this watch wants "
        "is told by such a name. List again, and watch from there.",
        revision=renamed.revision,
    )


def bookmark(changes: Subscription) -> Notice:
    assert changes.position is not None
    return Notice(changes.position)
