"""Who wants to know what holds now has one look made for them, and is never left waiting."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from metadata_server.domain.change import Position
from metadata_server.domain.refused import Refused
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.store import Store
from tests.services.watched import write
from tests.stages.waiting import until


class CountedStore(Store):
    """Counts the looks that the tailer has made of it.

    Attributes:
        looks: glances so far.
        held_up: looks wait for it.
    """

    looks = 0
    held_up: asyncio.Event | None = None

    async def glance(self) -> Position:
        self.looks += 1
        if self.held_up is not None:
            await self.held_up.wait()
        return await super().glance()


@pytest.fixture
async def counted(store: Store) -> AsyncIterator[CountedStore]:
    counted = CountedStore(store.database)
    yield counted
    counted.close()


@pytest.fixture
async def tailer(counted: CountedStore) -> AsyncIterator[Tailer]:
    tailer = Tailer(counted, period_s=60)
    task = asyncio.create_task(tailer.run())
    await tailer.look_now()
    yield tailer
    task.cancel()
    await asyncio.wait([task])


async def test_all_who_ask_during_a_look_share_the_next(
    tailer: Tailer, counted: CountedStore
) -> None:
    counted.looks, counted.held_up = 0, asyncio.Event()
    first = asyncio.create_task(tailer.look_now())
    await until(lambda: counted.looks == 1)
    others = [asyncio.create_task(tailer.look_now()) for _ in range(50)]
    await asyncio.sleep(0)
    counted.held_up.set()
    async with asyncio.timeout(5):
        await asyncio.gather(first, *others)
    assert counted.looks == 2


async def test_a_look_that_was_under_way_is_not_taken_for_one_after_the_question(
    tailer: Tailer, counted: CountedStore, store: Store
) -> None:
    counted.looks, counted.held_up = 0, asyncio.Event()
    first = asyncio.create_task(tailer.look_now())
    await until(lambda: counted.looks == 1)
    written = await write(store, "A")
    second = asyncio.create_task(tailer.look_now())
    counted.held_up.set()
    async with asyncio.timeout(5):
        await first
        assert (await second).revision >= written.revision


async def test_where_nobody_asks_any_more_it_rests(tailer: Tailer, counted: CountedStore) -> None:
    await asyncio.gather(*(tailer.look_now() for _ in range(5)))
    looks = counted.looks
    await asyncio.sleep(0.2)
    assert counted.looks <= looks + 1


async def test_one_who_no_longer_waits_takes_nothing_from_the_others(tailer: Tailer) -> None:
    gone, stays = (asyncio.create_task(tailer.look_now()) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    async with asyncio.timeout(5):
        await stays


async def test_who_waits_when_the_replica_ends_is_sent_elsewhere(counted: CountedStore) -> None:
    tailer = Tailer(counted, period_s=60)
    task = asyncio.create_task(tailer.run())
    await tailer.look_now()
    counted.looks, counted.held_up = 0, asyncio.Event()
    asked = [asyncio.create_task(tailer.look_now())]
    await until(lambda: counted.looks == 1)
    asked.append(asyncio.create_task(tailer.look_now()))
    await asyncio.sleep(0)
    task.cancel()
    asked.append(asyncio.create_task(tailer.look_now()))
    await asyncio.wait([task])
    asked.append(asyncio.create_task(tailer.look_now()))
    for each in asked:
        async with asyncio.timeout(5):
            with pytest.raises(Refused, match="DRAINING"):
                await each
