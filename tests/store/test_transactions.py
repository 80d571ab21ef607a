"""Transactions: one revision orders everything, history is the write path, nothing is half
written."""

import asyncio
import gc
import itertools
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.facility import Agent, Variable
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.store import schema
from metadata_server.store.codec import data_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import LostRace, UnitOfWork
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until

THREADS = 8
"""Of a store, besides the one of the fast lane."""


def test_what_is_saved_is_read_again_as_it_was(store: Store, caller: Caller) -> None:
    wanted = Variable(id="a/b", value='{"x": 1}', labels={"l": "1"}, properties={"p": "[]"})
    saved = store.transact_now(lambda unit: unit.save(wanted), caller=caller).value
    found = store.read_now(lambda unit: unit.resources.get(Variable, "a/b")).value
    assert found == wanted
    assert found.meta == saved.meta
    assert (found.meta.generation, found.meta.revision) == (1, 1)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_nobody_else_reads_the_embedded_database(empty_sqlite_database: str, suffix: str) -> None:
    before = os.umask(0o022)
    try:
        with opened_store(empty_sqlite_database) as store:
            file = Path(f"{store.database.url.database}{suffix}")
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_ids_compare_byte_by_byte(store: Store, caller: Caller) -> None:
    def save_both(unit: UnitOfWork) -> None:
        unit.save(Agent(id="Host"))
        unit.save(Agent(id="host"))

    store.transact_now(save_both, caller=caller)
    found = store.read_now(lambda unit: unit.resources.where(Agent)).value
    assert [agent.id for agent in found] == ["Host", "host"]


def test_a_change_leaves_its_after_image_and_its_author(store: Store, caller: Caller) -> None:
    store.transact_now(lambda unit: unit.save(Agent(id="a", host="h")), caller=caller)

    def rows(unit: UnitOfWork) -> tuple[object, object]:
        history = unit.connection.execute(select(schema.history)).mappings().one()
        change_set = unit.connection.execute(select(schema.change_set)).mappings().one()
        return history, change_set

    history, change_set = store.read_now(rows).value
    assert data_of(history["image"])["host"] == "h"  # type: ignore[index]
    assert history["action"] == "CREATED"  # type: ignore[index]
    assert change_set["author"] == "tester"  # type: ignore[index]
    assert change_set["reason"] == "a test"  # type: ignore[index]


def test_work_that_saves_nothing_takes_no_revision(store: Store, caller: Caller) -> None:
    before = store.transact_now(lambda unit: unit.save(Agent(id="a")), caller=caller).position
    assert store.transact_now(lambda _: None, caller=caller).position == before


def test_work_that_fails_leaves_nothing(store: Store, caller: Caller) -> None:
    def save_and_fail(unit: UnitOfWork) -> None:
        unit.save(Agent(id="a"))
        raise Refused.invalid("INVALID_FIELD", "no")

    with pytest.raises(Refused):
        store.transact_now(save_and_fail, caller=caller)
    answer = store.read_now(lambda unit: unit.resources.find(Agent, ["a"]))
    assert answer.value == {}
    assert answer.position.revision == 0


def test_a_lost_race_runs_the_whole_work_again(store: Store, caller: Caller) -> None:
    store.transact_now(lambda unit: unit.save(Agent(id="a", host="0")), caller=caller)
    tries = []

    def count_up(unit: UnitOfWork) -> None:
        before = unit.resources.get(Agent, "a", lock=True)
        tries.append(before.host)
        stale = replace(before, meta=replace(before.meta, generation=before.meta.generation - 1))
        unit.save(replace(stale if len(tries) == 1 else before, host="1"))

    store.transact_now(count_up, caller=caller)
    assert tries == ["0", "0"]


def test_five_lost_races_are_contention(store: Store, caller: Caller) -> None:
    def lose(unit: UnitOfWork) -> None:
        raise LostRace

    with pytest.raises(Refused, match="CONTENTION"):
        store.transact_now(lose, caller=caller)


def test_concurrent_writers_lose_no_update_and_no_revision(store: Store, caller: Caller) -> None:
    store.transact_now(lambda unit: unit.save(Agent(id="a", host="0")), caller=caller)

    def count_up(unit: UnitOfWork) -> None:
        before = unit.resources.get(Agent, "a", lock=True)
        unit.save(replace(before, host=str(int(before.host) + 1)))

    def some_times(_: int) -> list[int]:
        answers = [store.transact_now(count_up, caller=caller) for _ in range(20)]
        return [answer.position.revision for answer in answers]

    with ThreadPoolExecutor(4) as threads:
        revisions = [number for some in threads.map(some_times, range(4)) for number in some]
    assert sorted(revisions) == list(range(2, 82))
    assert store.read_now(lambda unit: unit.resources.get(Agent, "a")).value.host == "80"


def test_a_revision_is_never_seen_before_a_smaller_one(store: Store, caller: Caller) -> None:
    """A reader that sees revision n sees all of 1 … n, however writers interleave."""
    stop = threading.Event()
    holes = []

    def watch() -> None:
        def count(unit: UnitOfWork) -> None:
            rows = unit.connection.scalars(select(schema.change_set.c.revision)).all()
            if sorted(rows) != list(range(1, unit.position.revision + 1)):
                holes.append((unit.position.revision, rows))

        while not stop.is_set():
            store.read_now(count)

    def write(writer: int) -> None:
        for number in range(25):
            agent = Agent(id=f"{writer}/{number}")
            store.transact_now(lambda unit, agent=agent: unit.save(agent), caller=caller)  # type: ignore[misc]

    with ThreadPoolExecutor(4) as threads:
        watcher = threads.submit(watch)
        for done in [threads.submit(write, writer) for writer in range(3)]:
            done.result()
        stop.set()
        watcher.result()
    assert holes == []


def test_the_time_of_revisions_grows(store: Store, caller: Caller) -> None:
    for number in range(20):
        store.transact_now(lambda unit, n=number: unit.save(Agent(id=str(n))), caller=caller)  # type: ignore[misc]
    times = store.read_now(
        lambda unit: unit.connection.scalars(
            select(schema.change_set.c.time_us).order_by(schema.change_set.c.revision)
        ).all()
    ).value
    assert all(before < after for before, after in itertools.pairwise(times))


def test_a_deleted_name_can_be_given_again_to_something_new(store: Store, caller: Caller) -> None:
    first = store.transact_now(lambda unit: unit.save(Agent(id="a")), caller=caller).value
    store.transact_now(
        lambda unit: unit.delete(unit.resources.get(Agent, "a", lock=True)), caller=caller
    )
    second = store.transact_now(lambda unit: unit.save(Agent(id="a")), caller=caller).value
    assert second.meta.key != first.meta.key
    assert second.etag != first.etag
    rows = store.read_now(
        lambda unit: unit.connection.execute(
            select(schema.name).order_by(schema.name.c.from_revision)
        ).all()
    ).value
    assert [(row.kind, row.id, row.from_revision, row.to_revision) for row in rows] == [
        (Kind.AGENT, "a", 1, 2),
        (Kind.AGENT, "a", 3, None),
    ]


def test_many_rows_are_one_revision(store: Store, caller: Caller) -> None:
    def save_many(unit: UnitOfWork) -> None:
        for number in range(1500):
            unit.save(Agent(id=f"{number:05}"))

    assert store.transact_now(save_many, caller=caller).position.revision == 1
    found = store.read_now(lambda unit: unit.resources.where(Agent)).value
    assert [agent.id for agent in found] == [f"{number:05}" for number in range(1500)]


async def test_nobody_complains_of_a_failure_that_nobody_waits_for_any_more(
    store: Store, caller: Caller
) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    began, gave_up = threading.Event(), threading.Event()

    def work(_: UnitOfWork) -> None:
        began.set()
        gave_up.wait(10)
        raise Refused.not_found("VARIABLE_NOT_FOUND", "There is none.")

    waiting = asyncio.create_task(store.transact(work, caller=caller))
    await asyncio.to_thread(began.wait, 10)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gave_up.set()
    await store.transact(lambda _: None)  # whose end comes after that of the other
    del waiting
    gc.collect()
    assert not complaints


async def test_the_reader_that_others_wait_for_has_a_connection_of_its_own(store: Store) -> None:
    goes_on = threading.Event()
    async with asyncio.TaskGroup() as tasks:
        try:
            for _ in range(THREADS):
                tasks.create_task(store.read(lambda _: goes_on.wait(20)))
            await until(lambda: store.connections["reading"].in_use() == THREADS)
            answer = await store.read(lambda unit: unit.position, fast_lane=True)
            assert answer.value == answer.position
        finally:
            goes_on.set()
