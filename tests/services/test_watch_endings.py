"""How watches end, and what the tailer lives through."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from metadata_server.domain.change import Position
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import Asker, Rank
from metadata_server.domain.watch import Notice, WatchFilter
from metadata_server.services.watching import subscription as subscriptions
from metadata_server.services.watching.pieces import is_ahead
from metadata_server.services.watching.subscription import Batch, Subscription
from metadata_server.store import schema
from metadata_server.store.past.retention import trim_kind
from metadata_server.store.store import Store
from metadata_server.store.turns import Turns, on_behalf_of
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import EVERYTHING, Following, following, told, write
from tests.stages.mariadb import MariaDB
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until


@pytest.fixture
async def replica(store: Store) -> AsyncIterator[Following]:
    async with following(store) as replica:
        yield replica


async def next_of(changes: Subscription) -> Batch:
    batch = await changes.next(10)
    assert batch is not None
    return batch


async def test_a_slow_watcher_is_ended_and_nobody_waits_for_it(
    replica: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_CHANGES_WAITING", 5)
    async with replica.tailer.subscribe() as slow, replica.tailer.subscribe() as quick:
        begin = slow.reached
        for step in range(10):
            await write(replica.store, f"step/{step}")
            batch = await next_of(quick)
            assert [change.id for change in batch.changes] == [f"step/{step}"]
        with pytest.raises(Refused, match="WATCHER_TOO_SLOW"):
            await slow.next(1)
    present = await replica.present()
    again = await replica.up_to(present.revision, after=begin)
    assert sum(map(len, told(again).values())) == 10


async def test_a_revision_larger_than_a_queue_is_still_told(
    replica: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_CHANGES_WAITING", 5)
    async with replica.tailer.subscribe() as changes:
        await write(replica.store, *(f"bulk/{number:03}" for number in range(40)))
        assert len((await next_of(changes)).changes) == 40


async def test_a_revision_larger_than_a_piece_is_not_split(replica: Following) -> None:
    begin = await replica.present()
    await write(replica.store, "before")
    large = await write(replica.store, *(f"bulk/{number:04}" for number in range(1500)))
    last = await write(replica.store, "after")
    notices = await replica.up_to(last.revision, after=begin)
    (bulk,) = [n for n in notices if any(e.id.startswith("bulk") for e in n.events)]
    assert len(told([bulk])[large.revision]) == 1500
    assert [len(ids) for ids in told(notices).values()] == [1, 1500, 1]


async def test_a_watcher_that_waits_for_its_past_is_told_so_and_not_refused(store: Store) -> None:
    busy = Store(store.database, threads=1, turns=Turns(1, longest_wait_s=0.2))
    async with following(busy) as replica:
        begin = await replica.present()
        written = await write(busy, "one")
        may_end = threading.Event()
        holding = asyncio.create_task(busy.read(lambda _: may_end.wait(10)))
        told_so = 0

        def goes_on(notice: Notice) -> bool:
            nonlocal told_so
            if notice.position == begin:
                told_so += 1
                if told_so == 5:  # half a second: others would have been refused
                    may_end.set()
            return notice.position >= written

        with on_behalf_of(Asker("watcher", Rank.BULK)):
            notices = await replica.until(goes_on, after=begin)
        await holding
    assert told_so >= 5
    assert [event.id for event in notices[-1].events] == ["one"]


async def test_old_watchers_are_sent_elsewhere(store: Store) -> None:
    async with following(store, age_s=0.2) as replica:
        with pytest.raises(Refused, match="DRAINING"):
            await replica.until(lambda _: False)


async def test_a_replica_that_stops_ends_its_watchers(replica: Following) -> None:
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(refusal_of(replica))
        await until(lambda: replica.tailer.followers == 1, what="the watcher")
        replica.tailer.drain()
    assert watching.result() == "DRAINING"
    assert replica.tailer.followers == 0
    assert await refusal_of(replica) == "DRAINING"


async def refusal_of(replica: Following, after: Position | None = None) -> str:
    """Why a watch ended."""
    with pytest.raises(Refused) as refused:
        await replica.until(lambda _: False, after=after)
    return refused.value.reason


async def test_a_position_of_another_history_is_refused(replica: Following) -> None:
    present = await write(replica.store, "a")
    for other in (
        replace(present, epoch=7),
        replace(present, store_id="another"),
        replace(present, revision=10**12),
    ):
        assert await refusal_of(replica, after=other) == "HISTORY_RESET"


async def test_a_position_that_its_node_has_not_come_to_yet_is_of_the_same_history(
    replica: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a fail-over, where the new writer still applies what the old one told of."""
    looked: list[Position] = []

    def noting(wanted: Position, present: Position) -> bool:
        looked.append(present)
        return is_ahead(wanted, present)

    monkeypatch.setattr("metadata_server.services.watching.tailer.is_ahead", noting)
    present = await write(replica.store, "a")
    ahead = replace(present, revision=present.revision + 1)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(replica.up_to(ahead.revision + 1, after=ahead))
        await until(lambda: looked, what="a look for what is not there yet")
        await write(replica.store, "b")
        await write(replica.store, "c")
    assert told(watching.result()) == {ahead.revision + 1: {"c"}}
    assert looked[0] == present


async def go_back(store: Store, revisions: int) -> None:
    """What a restore of an older copy looks like."""

    def work(unit: UnitOfWork) -> None:
        counter = schema.revision
        value = counter.c.value - revisions
        unit.connection.execute(update(counter).values(value=value))
        newest = unit.position.revision - revisions
        columns = [table.c.revision for table in (schema.history, schema.change_set)]
        for column in (*columns, schema.name.c.from_revision, schema.variable.c.revision):
            unit.connection.execute(delete(column.table).where(column > newest))

    await store.transact(work)


async def test_a_restored_database_begins_a_new_epoch(replica: Following) -> None:
    for step in range(5):
        last = await write(replica.store, f"step/{step}")
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(refusal_of(replica, after=last))
        await until(lambda: replica.tailer.followers == 1, what="the watcher")
        await go_back(replica.store, revisions=3)
    assert watching.result() == "HISTORY_RESET"
    present = await replica.present()
    assert present.epoch == last.epoch + 1
    assert present.revision == last.revision - 3
    anew = await write(replica.store, "anew")
    assert anew.revision == last.revision - 2
    assert told(await replica.up_to(anew.revision, after=present)) == {anew.revision: {"anew"}}


async def test_all_replicas_take_a_restore_for_one_epoch(database: str) -> None:
    with opened_store(database) as one, opened_store(database) as two:
        async with following(one) as first, following(two) as second:
            last = await write(one, "a")
            await until(lambda: first.tailer.lag_s < 1 and second.tailer.lag_s < 1)
            await write(one, "b")
            async with asyncio.TaskGroup() as tasks:
                watches = [tasks.create_task(refusal_of(each, last)) for each in (first, second)]
                await until(lambda: first.tailer.followers + second.tailer.followers == 2)
                await go_back(one, revisions=1)
            assert [watch.result() for watch in watches] == ["HISTORY_RESET"] * 2
            assert (await first.present()).epoch == last.epoch + 1


def report(unit: UnitOfWork) -> None:
    """A change that no person made, as units make them."""
    unit.add_status_image(Kind.UNIT_SERVER_STATUS, 1, "session", '{"contact":"ALIVE"}')


async def test_who_comes_from_before_what_is_kept_lists_again(replica: Following) -> None:
    begin = await write(replica.store, "first")
    await replica.store.transact(report)
    kept = await replica.store.transact(report)
    last = await write(replica.store, "last")
    assert await replica.up_to(last.revision, after=begin)
    time = select(schema.status_history.c.time_us).where(
        schema.status_history.c.revision == kept.position.revision
    )

    def trim(unit: UnitOfWork) -> None:
        trim_kind(unit, Kind.UNIT_SERVER_STATUS, unit.connection.execute(time).scalar_one())

    await replica.store.transact(trim)
    assert await refusal_of(replica, after=begin) == "HISTORY_TRIMMED"
    declared = WatchFilter(frozenset({Kind.VARIABLE}))
    assert await replica.up_to(last.revision, after=begin, wanted=declared)
    since = replace(begin, revision=kept.position.revision)
    assert told(await replica.up_to(last.revision, after=since))[last.revision] == {"last"}


async def test_what_people_declared_before_any_report_is_not_taken_for_trimmed(
    replica: Following,
) -> None:
    begin = await replica.present()
    await write(replica.store, "first")
    await write(replica.store, "second")
    last = await replica.store.transact(report)
    notices = await replica.up_to(last.position.revision, after=begin)
    assert [len(ids) for ids in told(notices).values()] == [1, 1, 1]


async def test_a_commit_of_this_replica_is_told_at_once(database: str) -> None:
    """Not only at the next look: this one comes after an hour."""
    with opened_store(database) as store:
        async with (
            following(store, period_s=3600) as replica,
            replica.tailer.subscribe() as changes,
        ):
            await write(store, "now")
            assert (await next_of(changes)).changes[0].id == "now"


async def test_a_commit_of_another_replica_is_told_soon(database: str) -> None:
    with opened_store(database) as one, opened_store(database) as two:
        async with following(one) as replica, replica.tailer.subscribe() as changes:
            await write(two, "elsewhere")
            assert (await next_of(changes)).changes[0].id == "elsewhere"


async def test_a_batch_without_the_wanted_kinds_wakes_nobody(replica: Following) -> None:
    async with replica.tailer.subscribe(kinds={Kind.SCRIPT}) as changes:
        position = await write(replica.store, "a")
        await until(lambda: changes.position == position, what="the position")
        assert await changes.next(0) is None


async def test_watchers_live_through_an_outage_of_the_database(
    mariadb: MariaDB, mariadb_database: str
) -> None:
    with opened_store(mariadb_database) as store:
        async with following(store) as replica, replica.tailer.subscribe() as changes:
            await write(store, "before")
            assert (await next_of(changes)).changes[0].id == "before"
            mariadb.kill()
            await until(lambda: replica.tailer.lag_s > 0.5, what="an outage to be noticed")
            mariadb.start()
            await write(store, "after")
            assert (await next_of(changes)).changes[0].id == "after"


async def test_the_lag_is_told(replica: Following) -> None:
    await until(lambda: replica.tailer.lag_s < 0.3, what="a tailer that sees")
    assert replica.tailer.followers == 0
    async with replica.tailer.subscribe():
        assert replica.tailer.followers == 1


def test_a_filter_of_everything_is_the_default() -> None:
    assert EVERYTHING.kinds == frozenset(Kind)
