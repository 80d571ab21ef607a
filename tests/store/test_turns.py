"""Who may use the database next."""

import asyncio
import threading
import time
from collections import Counter

import pytest

from metadata_server.domain.refused import Refused
from metadata_server.domain.turn import ITSELF, Asker, Rank
from metadata_server.store.store import Store
from metadata_server.store.turns import Held, Turns, on_behalf_of
from metadata_server.store.unit_of_work import UnitOfWork

PEOPLE = Asker("a person", Rank.PEOPLE)
BULK = Asker("an export", Rank.BULK)


class Queue:
    """Those who wait for turns of one place, and in which order they got one."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.served: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def add(self, *askers: Asker) -> None:
        """Lets them come, one after the other."""
        for asker in askers:
            self.tasks.append(asyncio.create_task(self._one(asker)))
            await asyncio.sleep(0)

    async def _one(self, asker: Asker) -> None:
        held = await self.turns.begin(asker)
        self.served.append(asker.name)
        await asyncio.sleep(0)
        self.turns.end(held)

    async def all_served(self) -> list[str]:
        await asyncio.gather(*self.tasks)
        return self.served


def arriving(name: str) -> Asker:
    return Asker(name, Rank.ARRIVALS)


async def closed(places: int = 1, **limits: float) -> tuple[Queue, list[Held]]:
    """Turns that are all taken."""
    turns = Turns(places, **limits)  # type: ignore[arg-type]
    held = [await turns.begin(ITSELF) for _ in range(places)]
    return Queue(turns), held


async def test_a_loop_of_one_client_makes_nobody_else_wait_longer_than_a_round() -> None:
    queue, (held,) = await closed()
    await queue.add(*[arriving("loop")] * 50, arriving("A"), arriving("B"))
    queue.turns.end(held)
    served = await queue.all_served()
    assert served[:4] == ["loop", "A", "B", "loop"]


async def test_beats_go_before_people_and_these_before_arrivals_and_exports() -> None:
    queue, (held,) = await closed()
    await queue.add(BULK, arriving("A"), PEOPLE, Asker("a beat", Rank.LIFE, is_patient=True))
    queue.turns.end(held)
    assert await queue.all_served() == ["a beat", "a person", "A", "an export"]


async def test_no_rank_starves_while_others_keep_coming() -> None:
    queue, (held,) = await closed()
    await queue.add(BULK, *[PEOPLE] * 20)
    queue.turns.end(held)
    assert (await queue.all_served()).index("an export") < 10


async def test_beats_that_keep_coming_leave_a_share_to_exports() -> None:
    queue, (held,) = await closed()
    beat = Asker("a beat", Rank.LIFE, is_patient=True)
    await queue.add(BULK, *[beat] * 20)
    queue.turns.end(held)
    assert (await queue.all_served()).index("an export") < 10


async def test_an_export_is_not_refused_for_what_others_wait_that_it_goes_before() -> None:
    queue, (held,) = await closed(longest_wait_s=1)
    beat = Asker("a beat", Rank.LIFE, is_patient=True)
    await queue.add(*[beat] * 1_000, BULK)
    queue.turns.end(held)
    assert (await queue.all_served()).index("an export") < 10


async def test_a_place_is_kept_for_beats_whoever_else_has_work_for_all() -> None:
    turns = Turns(4)
    for asker in (PEOPLE, BULK, arriving("A")):
        await turns.begin(asker)
    later = asyncio.create_task(turns.begin(PEOPLE))
    await asyncio.sleep(0)
    assert not later.done()
    async with asyncio.timeout(1):
        await turns.begin(ITSELF)
    later.cancel()


async def test_exports_and_arrivals_have_half_of_the_places_each_at_most() -> None:
    turns = Turns(8)
    tasks = [asyncio.create_task(turns.begin(BULK)) for _ in range(8)]
    await asyncio.sleep(0)
    assert sum(task.done() for task in tasks) == 4
    for task in tasks:
        task.cancel()


async def test_who_has_waited_too_long_is_told_when_to_come_again() -> None:
    queue, _ = await closed(longest_wait_s=0.01)
    with pytest.raises(Refused, match="TOO_BUSY") as refused:
        await queue.turns.begin(PEOPLE)
    assert refused.value.retry_after_ms
    assert queue.turns.refused == {"wait": 1}
    assert queue.turns.told[Rank.PEOPLE].waiting == 0


async def test_beats_are_never_refused() -> None:
    queue, (held,) = await closed(longest_wait_s=0.01, most_waiting=1)
    await queue.add(*[ITSELF] * 50)
    await asyncio.sleep(0.05)
    queue.turns.end(held)
    assert len(await queue.all_served()) == 50


async def test_where_too_many_wait_the_longest_queue_loses_its_newest() -> None:
    queue, (held,) = await closed(most_waiting=10)
    await queue.add(*[arriving("loop")] * 10)
    await queue.add(arriving("A"))
    queue.turns.end(held)
    ended = await asyncio.gather(*queue.tasks, return_exceptions=True)
    assert [isinstance(each, Refused) for each in ended] == [False] * 9 + [True, False]
    assert Counter(queue.served) == {"loop": 9, "A": 1}


async def test_the_longest_queue_itself_gets_no_longer() -> None:
    queue, _ = await closed(most_waiting=2)
    await queue.add(arriving("loop"), arriving("loop"))
    with pytest.raises(Refused, match="TOO_BUSY"):
        await queue.turns.begin(arriving("loop"))
    for task in queue.tasks:
        task.cancel()


async def test_an_export_gives_way_to_a_person_where_too_many_wait() -> None:
    queue, (held,) = await closed(most_waiting=1)
    await queue.add(BULK, PEOPLE)
    queue.turns.end(held)
    ended = await asyncio.gather(*queue.tasks, return_exceptions=True)
    assert isinstance(ended[0], Refused)
    assert queue.served == ["a person"]


async def test_where_turns_last_long_people_are_refused_before_they_wait() -> None:
    queue, _ = await closed(longest_wait_s=0.02)
    await queue.add(Asker("", Rank.PEOPLE, is_patient=True))
    await asyncio.sleep(0.03)  # nothing has begun meanwhile: so long a turn lasts at least
    with pytest.raises(Refused, match="TOO_BUSY"):
        await queue.turns.begin(PEOPLE)
    assert queue.turns.refused == {"expected_wait": 1}
    for task in queue.tasks:
        task.cancel()


async def test_a_database_that_stands_still_gathers_neither_threads_nor_work(
    store: Store,
) -> None:
    slow = Store(store.database, threads=2, turns=Turns(2, longest_wait_s=0.2))
    began: list[float] = []

    def work(_: UnitOfWork) -> None:
        began.append(time.monotonic())
        time.sleep(0.4)

    async def one() -> bool:
        with on_behalf_of(PEOPLE):
            try:
                await slow.read(work)
            except Refused:
                return False
            return True

    done = await asyncio.gather(*(one() for _ in range(200)))
    told = slow.turns.told[Rank.PEOPLE]
    assert done.count(True) == len(began) < 5
    assert told.waiting == 0
    assert slow.turns.refused["expected_wait"] + slow.turns.refused["wait"] > 190


async def test_work_whose_caller_has_gone_keeps_its_place_until_it_is_done(store: Store) -> None:
    slow = Store(store.database, threads=2)
    may_end = threading.Event()

    def work(_: UnitOfWork) -> None:
        may_end.wait(10)

    with on_behalf_of(PEOPLE):
        first = asyncio.create_task(slow.read(work))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first})
        second = asyncio.create_task(slow.read(lambda _: None))
        await asyncio.wait({second}, timeout=0.05)
        assert not second.done()
        may_end.set()
        async with asyncio.timeout(5):
            await second


async def test_who_gives_up_leaves_no_place_behind() -> None:
    queue, (held,) = await closed()
    await queue.add(PEOPLE, BULK)
    queue.turns.end(held)
    queue.tasks[0].cancel()  # in the moment in which it gets its turn
    await asyncio.gather(queue.tasks[1])
    assert queue.served == ["an export"]
