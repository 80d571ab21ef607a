"""Many followers of one replica: told at once, and what happens meanwhile together."""

import asyncio
import time

from metadata_server.domain.names import Kind
from metadata_server.services.watching.subscription import Batch, Subscription
from metadata_server.store.store import Store
from tests.services.watched import Following, events, following, write
from tests.stages.waiting import until

FOLLOWERS = 40_000
"""So many that telling them takes two seconds."""


async def nothing(_: Subscription) -> Batch | None:
    return None


async def crowd(replica: Following) -> None:
    """Followers of something else, who are told nothing."""
    for _ in range(FOLLOWERS):
        await replica.tailer.follow(Subscription(frozenset({Kind.SCRIPT}), None, nothing))


async def test_what_happens_while_many_are_told_goes_to_them_together(store: Store) -> None:
    async with following(store) as replica:
        await crowd(replica)
        begin = await replica.present()
        crowded = replica.tailer.followers
        watching = asyncio.create_task(replica.up_to(begin.revision + 4))
        await until(lambda: replica.tailer.followers > crowded, within=20, what="the watcher")
        first = await write(store, "A")
        await until(lambda: replica.tailer.position == first, within=20, what="the first change")
        for name in ("B", "C", "D"):
            await write(store, name)
        notices = [notice for notice in await watching if notice.events]
        ids = [[event.id for event in events([notice])] for notice in notices]
        assert ids == [["A"], ["B", "C", "D"]]


async def test_who_asks_for_a_look_does_not_wait_for_the_crowd(store: Store) -> None:
    async with following(store) as replica:
        await crowd(replica)
        began = time.monotonic()
        for name in ("A", "B", "C", "D", "E"):
            written = await write(store, name)
            assert await replica.tailer.look_now() >= written
        assert time.monotonic() - began < 8  # a rest after each would take ten seconds
