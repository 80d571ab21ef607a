"""Overviews and pulses: one reading for all who look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from sqlalchemy import event

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import State
from metadata_server.domain.refused import Refused
from metadata_server.services.watching.overview import Overviews, Pulse, abnormal_limit
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import CALLER

UNITS = 450
TALLY = "count(*) AS units"


@pytest.fixture
def overviews(store: Store) -> Overviews:
    return Overviews(store, Tailer(store), age_s=600)


@asynccontextmanager
async def counted(store: Store, words: str) -> AsyncIterator[list[str]]:
    """The statements read meanwhile that have some words."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        if words in str(arguments[2]):
            statements.append(str(arguments[2]))

    event.listen(store.database.reading, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(store.database.reading, "before_cursor_execute", note)


async def declare(store: Store) -> None:
    """Units that nobody hosts, though every second one should run."""

    def work(unit: UnitOfWork) -> None:
        unit.save(Template(id="T", version=1))
        unit.save(UnitServer(id="S"))
        for number in range(UNITS):
            wanted = State.RUNNING if number % 2 else State.UNSPECIFIED
            unit.save(
                ControlUnit(
                    id=f"A/{number:03}",
                    template="T",
                    template_version=1,
                    unit_server="S",
                    desired_state=wanted,
                )
            )

    await store.transact(work, caller=CALLER)


async def test_many_who_look_at_once_share_one_computation(
    store: Store, overviews: Overviews
) -> None:
    await declare(store)
    async with counted(store, TALLY) as statements, counted(store, "revision.value") as looks:
        seen = await asyncio.gather(*(overviews.get(10) for _ in range(50)))
    assert len({id(each) for each in seen}) == 1
    assert len(statements) == 1
    assert len(looks) <= 3
    assert seen[0].tally.units == UNITS


async def test_who_looks_after_a_change_sees_it(store: Store, overviews: Overviews) -> None:
    assert (await overviews.get(10)).tally.units == 0
    await declare(store)
    seen = await overviews.get(10)
    assert seen.tally.units == UNITS
    assert seen.position.revision == 1


async def test_who_asks_for_more_abnormal_units_gets_them(
    store: Store, overviews: Overviews
) -> None:
    await declare(store)
    some = await overviews.get(5)
    assert some.abnormal_total == UNITS // 2 > len(some.abnormal) >= 5
    everything = await overviews.get(1000)
    assert len(everything.abnormal) == UNITS // 2
    assert await overviews.get(5) is everything


@pytest.mark.parametrize(("requested", "given"), [(0, 200), (1, 1), (1000, 1000), (5000, 1000)])
def test_so_many_abnormal_units_are_told(requested: int, given: int) -> None:
    assert abnormal_limit(requested) == given


async def first(overviews: Overviews, count: int) -> list[Pulse]:
    found = []
    async with asyncio.timeout(20), aclosing(overviews.pulses()) as pulses:
        async for pulse in pulses:
            found.append(pulse)
            if len(found) == count:
                break
    return found


async def test_all_who_listen_share_one_pulse(store: Store, overviews: Overviews) -> None:
    def work(unit: UnitOfWork) -> None:
        server = unit.save(UnitServer(id="S"))
        session = Session(id="run", unit_server="S", unit_server_key=server.meta.key)
        begin_session(unit, session, lease_us=20_000_000)

    await store.transact(work, caller=CALLER)
    async with counted(store, "beat_us") as statements:
        listeners = await asyncio.gather(*(first(overviews, 3) for _ in range(10)))
    assert len(statements) <= 3
    for pulses in listeners:
        assert [[name for name, _ in pulse.ages_us] for pulse in pulses] == [["S"]] * 3
        ages = [pulse.ages_us[0][1] for pulse in pulses]
        assert ages == sorted(ages)
        assert ages[0] < ages[-1] < 10_000_000


async def test_old_listeners_are_sent_elsewhere(store: Store) -> None:
    overviews = Overviews(store, Tailer(store), age_s=0.1)
    with pytest.raises(Refused, match="DRAINING"):
        await first(overviews, 100)


async def test_an_overview_of_the_past_is_counted_once(store: Store, overviews: Overviews) -> None:
    await declare(store)
    async with counted(store, "AS told") as statements:
        first, second = await overviews.at("1"), await overviews.at("1")
    assert len(statements) == 1
    assert second is first  # and its message is made once
    later = await overviews.at("2100-01-01T00:00:00Z")
    assert (later.tally, later.time_us > first.time_us) == (first.tally, True)
    assert (first.tally.units, (await overviews.at("0")).tally.units) == (UNITS, 0)
    with pytest.raises(Refused, match="HISTORY_RESET"):
        await overviews.at("2")
