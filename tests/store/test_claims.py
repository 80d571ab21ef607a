"""Of all who are ready to write, the next to claim a revision is one of the highest rank."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.turn import Asker, Rank
from metadata_server.store import claims
from metadata_server.store.claims import FROM_BELOW, Claims
from metadata_server.store.store import Store
from metadata_server.store.turns import on_behalf_of
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until


class Writers:
    """Threads that wait for one place, and in which order they got it."""

    def __init__(self, claims: Claims) -> None:
        self.claims = claims
        self.served: list[str] = []
        self._threads: list[threading.Thread] = []

    def add(self, rank: Rank) -> None:
        """One more; it waits when this returns."""
        thread = threading.Thread(target=self._write, args=(rank,))
        self._threads.append(thread)
        thread.start()
        deadline = time.monotonic() + 10
        while sum(map(len, self.claims._waiting.values())) < len(self._threads):
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def _write(self, rank: Rank) -> None:
        assert self.claims.enter(rank)
        self.served.append(rank.value)
        self.claims.leave()

    def all_served(self) -> list[str]:
        for thread in self._threads:
            thread.join(10)
        return self.served


def test_people_go_before_arrivals_and_reports_before_people() -> None:
    taken = Claims(1, longest_wait_s=10)
    assert taken.enter(Rank.BULK)
    writers = Writers(taken)
    for rank in (Rank.ARRIVALS, Rank.ARRIVALS, Rank.PEOPLE, Rank.LIFE):
        writers.add(rank)
    taken.leave()
    assert writers.all_served() == ["life", "people", "arrivals", "arrivals"]
    assert taken.enter(Rank.BULK), "the place is free again"


def test_none_waits_for_ever() -> None:
    taken = Claims(1, longest_wait_s=10)
    assert taken.enter(Rank.LIFE)
    writers = Writers(taken)
    for rank in (Rank.ARRIVALS, *[Rank.LIFE] * FROM_BELOW):
        writers.add(rank)
    taken.leave()
    assert writers.all_served()[FROM_BELOW - 1] == "arrivals"


def test_who_has_waited_long_goes_on_without_a_place() -> None:
    taken = Claims(1, longest_wait_s=0.05)
    assert taken.enter(Rank.LIFE)
    assert not taken.enter(Rank.PEOPLE)
    taken.leave()
    assert taken.enter(Rank.PEOPLE), "nobody is in the way who does not wait any more"


@pytest.fixture
def crowded(mariadb_database: str) -> Iterator[Store]:
    with opened_store(mariadb_database) as store:
        yield store


async def test_a_change_of_a_person_does_not_stand_behind_a_storm(
    crowded: Store, caller: Caller
) -> None:
    """Who had a place before they came keeps it."""
    ready = {"arrivals": 0, "people": 0}

    def save(id: str, rank: Rank, unit: UnitOfWork) -> int:
        ready[rank.value] += 1
        return unit.save(Agent(id=id)).meta.revision

    async def change(number: int, rank: Rank) -> int:
        id = f"{rank.value}-{number}"
        with on_behalf_of(Asker(id, rank)):
            return (await crowded.transact(lambda unit: save(id, rank, unit), caller=caller)).value

    with crowded.database.writing.begin() as holder:
        holder.exec_driver_sql("UPDATE revision SET value = value")
        storm = [asyncio.create_task(change(number, Rank.ARRIVALS)) for number in range(4)]
        await until(lambda: ready["arrivals"] == 4)
        person = asyncio.create_task(change(0, Rank.PEOPLE))
        await until(lambda: ready["people"] == 1)
        await asyncio.sleep(0.2)  # a moment for its claim; it would stand behind the four else
    persons, *storms = await asyncio.gather(person, *storm)
    assert sum(each < persons for each in storms) <= 1


def test_who_holds_what_one_with_a_place_needs_is_not_waited_for_for_ever(
    crowded: Store, caller: Caller
) -> None:
    """The database sees that each needs what the other has, once both stand before it."""
    crowded._claims = Claims(1, longest_wait_s=0.5)
    crowded.transact_now(lambda unit: unit.save(Agent(id="a")), caller=caller)
    has_place, has_lock = threading.Event(), threading.Event()

    def with_a_place(unit: UnitOfWork) -> None:
        unit.claim()
        has_place.set()
        assert has_lock.wait(10)
        unit.connection.exec_driver_sql("SELECT 1 FROM agent WHERE id = 'a' FOR UPDATE")

    def with_the_lock(unit: UnitOfWork) -> None:
        unit.connection.exec_driver_sql("SELECT 1 FROM agent WHERE id = 'a' FOR UPDATE")
        has_lock.set()
        unit.claim()

    began = time.monotonic()
    first = threading.Thread(target=crowded.transact_now, args=(with_a_place,))
    first.start()
    assert has_place.wait(10)
    crowded.transact_now(with_the_lock)
    first.join(30)
    assert not first.is_alive()
    assert time.monotonic() - began < claims.LONGEST_WAIT_S + 8
