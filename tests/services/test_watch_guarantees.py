"""What a watcher can rely on, while several writers write against each other."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from metadata_server.domain.change import Position
from metadata_server.domain.intent.facility import Script, Variable
from metadata_server.domain.names import Kind
from metadata_server.domain.watch import EventAction, Notice, WatchFilter
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import (
    CALLER,
    Following,
    delete,
    events,
    following,
    told,
    write,
    write_at_once,
)
from tests.stages.opened_store import opened_store

WRITERS, REVISIONS = 4, 20


@pytest.fixture
async def replica(store: Store) -> AsyncIterator[Following]:
    async with following(store) as replica:
        yield replica


async def watch_while_writing(replica: Following) -> tuple[list[Notice], dict[int, set[str]]]:
    """A watcher from the beginning, with what was written before and while it watched."""
    begin = await replica.present()
    before = await write_at_once(replica.store, writers=2, revisions=5)
    last = begin.revision + 2 * 5 + WRITERS * REVISIONS
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(replica.up_to(last, after=begin))
        writing = tasks.create_task(
            write_at_once(replica.store, writers=WRITERS, revisions=REVISIONS)
        )
    return watching.result(), before | writing.result()


async def test_ordered(replica: Following) -> None:
    notices, _ = await watch_while_writing(replica)
    places = [(event.change.revision, event.change.ordinal) for event in events(notices)]
    assert places == sorted(places)
    times = [event.change.time_us for event in events(notices)]
    assert times == sorted(times)
    positions = [notice.position for notice in notices]
    assert positions == sorted(positions)


async def test_unique(replica: Following) -> None:
    notices, _ = await watch_while_writing(replica)
    places = [(event.change.revision, event.change.key) for event in events(notices)]
    assert len(places) == len(set(places))


async def test_atomic(replica: Following) -> None:
    notices, written = await watch_while_writing(replica)
    for notice in notices:
        assert told([notice]) == {
            revision: written[revision]
            for revision in {event.change.revision for event in notice.events}
        }


async def test_reliable(replica: Following) -> None:
    notices, written = await watch_while_writing(replica)
    assert told(notices) == written


async def test_resumable_at_every_position_on_any_replica(
    replica: Following, database: str
) -> None:
    notices, written = await watch_while_writing(replica)
    last = notices[-1].position.revision
    with opened_store(database) as store:
        async with following(store) as other:
            for notice in notices[:: max(1, len(notices) // 8)]:
                rest = await other.up_to(last, after=notice.position)
                missing = {r: ids for r, ids in written.items() if r > notice.position.revision}
                assert told(rest) == missing


async def test_resumable_while_others_write(replica: Following) -> None:
    """Watchers that come and go all the time miss nothing and are told nothing twice."""
    begin = await replica.present()
    last = begin.revision + WRITERS * REVISIONS

    async def restless() -> list[Notice]:
        position, found = begin, list[Notice]()
        while position.revision < last:
            some = await replica.until(lambda notice: bool(notice.events), after=position)
            found += some
            position = some[-1].position
        return found

    async with asyncio.TaskGroup() as tasks:
        watchers = [tasks.create_task(restless()) for _ in range(3)]
        writing = tasks.create_task(
            write_at_once(replica.store, writers=WRITERS, revisions=REVISIONS)
        )
    for watcher in watchers:
        assert told(watcher.result()) == writing.result()
        assert len(events(watcher.result())) == sum(map(len, writing.result().values()))


async def test_bookmarkable(replica: Following) -> None:
    """Who is told nothing still hears how far it is, and can go on from there."""
    nothing = WatchFilter(id_prefix="nowhere")
    begin = await replica.present()
    last = begin.revision + 20
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(replica.up_to(last, after=begin, wanted=nothing))
        tasks.create_task(write_at_once(replica.store, writers=2, revisions=10))
    bookmark = watching.result()[-1]
    assert not events(watching.result())
    assert bookmark.position == replace(begin, revision=last)
    following = await write(replica.store, "after/the/bookmark")
    rest = await replica.up_to(following.revision, after=bookmark.position)
    assert told(rest) == {following.revision: {"after/the/bookmark"}}


async def test_bookmarked_at_once_from_now_on(replica: Following) -> None:
    present = await write(replica.store, "before")
    async with asyncio.timeout(5):
        notices = replica.watching.watch(WatchFilter(), None)
        first = await anext(notices)
        await notices.aclose()
    assert first.position == present
    assert not first.events


async def test_filtered_by_kind(replica: Following) -> None:
    def work(unit: UnitOfWork) -> None:
        unit.save(Variable(id="a"))
        unit.save(Script(id="b"))

    begin = await replica.present()
    position = (await replica.store.transact(work, caller=CALLER)).position
    scripts = WatchFilter(kinds=frozenset({Kind.SCRIPT}))
    notices = await replica.up_to(position.revision, after=begin, wanted=scripts)
    assert [(event.change.kind, event.id) for event in events(notices)] == [(Kind.SCRIPT, "b")]


async def test_filtered_by_prefix_of_the_id(replica: Following) -> None:
    begin = await replica.present()
    await write(replica.store, "DAFNE/A", "DAFNE2/A", "BTF/A")
    last = await delete(replica.store, "DAFNE/A")
    last = await delete(replica.store, "BTF/A")
    wanted = WatchFilter(id_prefix="DAFNE/")
    notices = await replica.up_to(last.revision, after=begin, wanted=wanted)
    assert [(event.id, event.action) for event in events(notices)] == [
        ("DAFNE/A", EventAction.CREATED),
        ("DAFNE/A", EventAction.DELETED),
    ]


async def rename(store: Store, old: str, new: str) -> Position:
    """Gives a variable another id, as a revision of its own."""

    def work(unit: UnitOfWork) -> None:
        variable = unit.resources.get(Variable, old, lock=True)
        unit.save(replace(variable, id=new))

    return (await store.transact(work, caller=CALLER)).position


async def test_filtered_by_the_id_of_each_revision(replica: Following) -> None:
    """A resource that is renamed out of the filter has left it, and comes in by its new name."""
    begin = await replica.present()
    await write(replica.store, "old/A")
    await rename(replica.store, "old/A", "new/A")
    last = await write(replica.store, "new/A")

    async def seen(prefix: str) -> list[tuple[str, EventAction, str]]:
        wanted = WatchFilter(id_prefix=prefix)
        notices = await replica.up_to(last.revision, after=begin, wanted=wanted)
        return [(event.id, event.action, event.former_id) for event in events(notices)]

    assert await seen("old/") == [
        ("old/A", EventAction.CREATED, ""),
        ("old/A", EventAction.LEFT, ""),
    ]
    assert await seen("new/") == [
        ("new/A", EventAction.CREATED, "old/A"),
        ("new/A", EventAction.UPDATED, ""),
    ]
    assert await seen("") == [
        ("old/A", EventAction.CREATED, ""),
        ("new/A", EventAction.UPDATED, "old/A"),
        ("new/A", EventAction.UPDATED, ""),
    ]
