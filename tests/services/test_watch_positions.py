"""The position that a watcher is told never goes back, whatever it wants, at whichever replica it
goes on, and however slowly what it reads comes."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

from metadata_server.domain.change import Position
from metadata_server.domain.names import Kind
from metadata_server.domain.watch import Notice, WatchFilter
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.database import Database, open_database
from metadata_server.store.store import Answer, Store, Work
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import Following, following, write
from tests.stages.layout import lay_out

T = TypeVar("T")
VARIABLES, SESSIONS = frozenset({Kind.VARIABLE}), frozenset({Kind.UNIT_SERVER_STATUS})
WANTED = (
    WatchFilter(),
    WatchFilter(VARIABLES),
    WatchFilter(VARIABLES, "W1"),
    WatchFilter(VARIABLES, filter="value=xx"),
    WatchFilter(SESSIONS),
    WatchFilter(frozenset({Kind.SCRIPT})),
)
LONGEST_S = 0.01
REVISIONS = 30


class SlowStore(Store):
    """A busy machine: what is read comes after a while, and lies there for another."""

    async def read(self, work: Work[T], *, fast_lane: bool = False) -> Answer[T]:
        await dawdle()
        answer = await super().read(work, fast_lane=fast_lane)
        await dawdle()
        return answer


class KeepingStore(Store):
    """What was read is not forgotten at once: a watcher that was cancelled leaves it to the garbage."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._kept: list[object] = []

    async def read(self, work: Work[T], *, fast_lane: bool = False) -> Answer[T]:
        answer = await super().read(work, fast_lane=fast_lane)
        self._kept.append(answer)
        return answer


async def dawdle() -> None:
    if random.random() < 0.5:
        await asyncio.sleep(random.uniform(0, LONGEST_S))


@asynccontextmanager
async def slow_replicas(url: str) -> AsyncIterator[list[Following]]:
    """They tell a bookmark whenever there is nothing else to tell."""
    lay_out(url)
    stores = [SlowStore(open_database(url)) for _ in range(2)]
    try:
        async with (
            following(stores[0], bookmark_s=0.002, period_s=0.005) as one,
            following(stores[1], bookmark_s=0.002, period_s=0.005) as two,
        ):
            yield [one, two]
    finally:
        for each in stores:
            each.close()


def report(unit: UnitOfWork) -> None:
    unit.add_status_image(Kind.UNIT_SERVER_STATUS, 1, "session", '{"contact":"ALIVE"}')


async def work_hard(store: Store, revisions: int) -> Position:
    """What people and what unit servers change, in turn."""
    for number in range(revisions):
        if random.random() < 0.4:
            last = (await store.transact(report)).position
        else:
            last = await write(store, f"W{number % 3}")
    return last


async def watch(
    replicas: Sequence[Following], wanted: WatchFilter, after: Position, last: int
) -> list[str]:
    """What was told wrongly to one that goes elsewhere again and again."""
    wrong: list[str] = []
    while after.revision < last:
        left = random.randint(1, 8)
        replica = random.choice(replicas)
        async with aclosing(replica.watching.watch(wanted, after)) as notices:
            async for notice in notices:
                wrong += faults(notice, after)
                after = max(after, notice.position)
                left -= 1
                if not left or after.revision >= last:
                    break
                await dawdle()
    return wrong


def faults(notice: Notice, reached: Position) -> list[str]:
    found = []
    if notice.position < reached:
        found.append(f"position {notice.position.revision} after {reached.revision}")
    for event in notice.events:
        if not reached.revision < event.change.revision <= notice.position.revision:
            place = f"{reached.revision} < … <= {notice.position.revision}"
            found.append(f"{event.change.id} of {event.change.revision}, not {place}")
    return found


async def test_a_position_never_goes_back(database: str) -> None:
    async with slow_replicas(database) as replicas, asyncio.timeout(60):
        begin = await replicas[0].present()
        last = begin.revision + 2 * REVISIONS
        async with asyncio.TaskGroup() as tasks:
            for each in replicas:
                tasks.create_task(work_hard(each.store, REVISIONS))
            watches = [
                tasks.create_task(watch(replicas, wanted, begin, last)) for wanted in WANTED * 2
            ]
    assert [fault for each in watches for fault in each.result()] == []


async def test_that_nothing_came_since_is_true_only_once(database: str) -> None:
    lay_out(database)
    store = KeepingStore(open_database(database))
    try:
        here = await write(store, "W1")
        tailer = Tailer(store)
        async with tailer.subscribe(here, kinds=VARIABLES) as first:
            assert await first.next(0.1) is None
        there = await write(store, "W2")
        follower = asyncio.create_task(tailer.run())
        assert await tailer.look_now() == there
        async with tailer.subscribe(here, kinds=VARIABLES) as second, asyncio.timeout(10):
            batch = await second.next()
        follower.cancel()
        await asyncio.wait([follower])
    finally:
        store.close()
    assert batch is not None
    assert [change.id for change in batch.changes] == ["W2"]
