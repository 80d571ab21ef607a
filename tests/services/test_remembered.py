"""What is remembered is never older than the question, and read again only where it has changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.services.watching.remembered import OVERHEAD_BYTES, Held, Remembered
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import delete, following, write
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until

V = TypeVar("V")


@dataclass
class Reader:
    """Reads variables through what is remembered; counts how often the store is asked."""

    remembered: Remembered
    resources: Resources
    loads: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    async def held(self, id: str) -> tuple[Held[Variable], int]:
        async def load() -> Answer[Variable]:
            self.loads.append(id)
            found = await self.resources.get(Variable, id)
            self.loaded.append(id)
            return found

        held, position = await self.remembered.get(
            id, load, lambda variable: [(Kind.VARIABLE, variable.meta.key)]
        )
        return held, position.revision

    async def value(self, id: str) -> str:
        held, _ = await self.held(id)
        return str(held.value.value)


@pytest.fixture
async def reader(store: Store) -> AsyncIterator[Reader]:
    async with following(store) as here:
        remembered = Remembered(here.tailer, most_bytes=3 * OVERHEAD_BYTES)
        yield Reader(remembered, Resources(store))


async def test_what_has_not_changed_is_read_once(reader: Reader, store: Store) -> None:
    await write(store, "A", "B")
    for _ in range(3):
        assert await reader.value("A") == "x"
    assert (await reader.held("A"))[0] is (await reader.held("A"))[0]
    await write(store, "B")
    assert await reader.value("A") == "x"
    assert reader.loads == ["A"]


async def test_what_has_not_changed_is_true_at_each_revision_since(
    reader: Reader, store: Store
) -> None:
    await write(store, "A")
    await reader.held("A")
    later = await write(store, "B")
    assert (await reader.held("A"))[1] >= later.revision
    assert reader.loads == ["A"]


async def test_what_has_changed_is_read_again(reader: Reader, store: Store) -> None:
    for length in range(1, 4):
        position = await write(store, "A")
        held, revision = await reader.held("A")
        assert held.value.value == "x" * length
        assert revision >= position.revision
    await delete(store, "A")
    with pytest.raises(Refused, match="VARIABLE_NOT_FOUND"):
        await reader.held("A")


async def test_a_question_after_a_commit_elsewhere_is_told_of_it(
    reader: Reader, store: Store, database: str
) -> None:
    await write(store, "A")
    await reader.held("A")
    with opened_store(database) as elsewhere:
        for length in range(2, 12):
            await write(elsewhere, "A")
            assert await reader.value("A") == "x" * length


async def test_many_readers_beside_writers_never_go_back(reader: Reader, store: Store) -> None:
    """What each reader is told was true after its question: no older than the last commit."""
    committed = {"A": 1, "B": 1}
    await write(store, *committed)
    is_over = asyncio.Event()

    async def keep_reading() -> int:
        rounds = 0
        while not is_over.is_set():
            for id, before in tuple(committed.items()):
                assert len(await reader.value(id)) >= before
                rounds += 1
        return rounds

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        readers = [tasks.create_task(keep_reading()) for _ in range(8)]
        for number in range(30):
            id = "AB"[number % 3 == 0]
            await write(store, id)
            committed[id] += 1
        is_over.set()
    assert all(each.result() for each in readers)


async def test_many_who_ask_at_once_are_told_of_one_reading(reader: Reader, store: Store) -> None:
    await write(store, "A")
    told = await asyncio.gather(*(reader.value("A") for _ in range(20)))
    assert told == ["x"] * 20
    assert reader.loads == ["A"]


async def test_the_oldest_make_room(reader: Reader, store: Store) -> None:
    ids = ("A", "B", "C", "D")
    await write(store, *ids)
    for id in ids:
        await reader.held(id)
    await reader.held("D")
    assert reader.loads == list(ids)
    await reader.held("A")
    assert reader.loads == [*ids, "A"]


async def test_what_the_wire_makes_of_a_value_counts(reader: Reader, store: Store) -> None:
    await write(store, "A", "B")
    a, b = (await reader.held("A"))[0], (await reader.held("B"))[0]
    assert reader.remembered.bytes == a.bytes + b.bytes == 2 * OVERHEAD_BYTES
    for _ in range(3):
        assert b.form("wire", lambda: b"x" * OVERHEAD_BYTES, len) == b"x" * OVERHEAD_BYTES
    assert reader.remembered.bytes == 3 * OVERHEAD_BYTES
    b.form("text", lambda: b"x", len)
    assert reader.remembered.bytes == b.bytes == 2 * OVERHEAD_BYTES + 1
    await reader.held("B")
    await reader.held("A")
    assert reader.loads == ["A", "B", "A"]


async def test_what_is_not_kept_any_more_does_not_count(reader: Reader, store: Store) -> None:
    await write(store, "A", "B")
    a, _ = await reader.held("A")
    await reader.held("B")
    await write(store, "A")
    await reader.remembered._tailer.look_now()
    a.form("wire", lambda: b"x" * 10 * OVERHEAD_BYTES, len)
    assert reader.remembered.bytes == OVERHEAD_BYTES
    await delete(store, "B")
    await reader.remembered._tailer.look_now()
    assert reader.remembered.bytes == 0


async def test_nothing_is_followed_for_those_who_have_left(
    reader: Reader, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(store, "A")
    await reader.held("A")
    assert reader.remembered.kinds == {Kind.VARIABLE}
    monkeypatch.setattr("metadata_server.services.watching.remembered.FORGOTTEN_AFTER_S", 0)
    position = await write(store, "B")
    await reader.remembered._tailer.look_now()
    assert not reader.remembered.kinds
    assert reader.remembered.bytes == 0
    held, revision = await reader.held("A")
    assert (held.value.value, revision) == ("x", position.revision)
    assert reader.loads == ["A", "A"]


async def test_a_replica_that_is_stopping_answers_and_remembers_nothing(store: Store) -> None:
    await write(store, "A")
    async with following(store) as here:
        reader = Reader(Remembered(here.tailer), Resources(store))
        assert await reader.value("A") == "x"
        here.tailer.drain()
        for _ in range(2):
            assert await reader.value("A") == "x"
    assert reader.loads == ["A"] * 3


async def test_a_kind_that_a_look_under_way_has_not_asked_for_is_not_remembered_yet(
    reader: Reader, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ask for the first things of a kind while a look that knows nothing of it reads."""
    await write(store, "A", "B")
    present = await store.read(lambda _: "a host")
    await reader.remembered.get("host", lambda: answered(present), lambda _: [(Kind.AGENT, 1)])
    reading, goes_on = asyncio.Event(), asyncio.Event()
    read = store.read

    async def read_slowly(work: Callable[[UnitOfWork], V], *, fast_lane: bool = False) -> Answer[V]:
        if fast_lane and not goes_on.is_set():
            reading.set()
            await goes_on.wait()
        return await read(work, fast_lane=fast_lane)

    monkeypatch.setattr(store, "read", read_slowly)
    await write(store, "C")
    await reading.wait()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(reader.held("A"))
        await until(lambda: Kind.VARIABLE in reader.remembered.kinds, what="the first of its kind")
        second = tasks.create_task(reader.held("B"))
        await until(lambda: second.done() or reader.loaded == ["A", "B"], what="the second")
        await write(store, "B")
        goes_on.set()
    assert await reader.value("B") == "xx"


async def answered(answer: Answer[V]) -> Answer[V]:
    return answer
