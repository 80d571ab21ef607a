"""Samples for charts: taken once for all replicas, kept, thinned out, and told alike."""

import asyncio

import pytest
from sqlalchemy import select, update

from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.overview import Tally
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Health
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.sample import COARSE_KEPT_US, COARSE_US, FINE_KEPT_US, FINE_US, Sample
from metadata_server.services.past.trimming import Trimming
from metadata_server.services.watching.overview import Overviews
from metadata_server.services.watching.samples import Samples, Sampling
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store import samples as table
from metadata_server.store import schema
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import CALLER

HOUR_US = 3_600_000_000


def sampling(store: Store) -> Sampling:
    return Sampling(store, Overviews(store, Tailer(store), age_s=600))


async def told(store: Store, *, range_us: int = HOUR_US, step_us: int = 0) -> list[Sample]:
    return (await Samples(store).list(range_us=range_us, step_us=step_us)).value.samples


async def now_us(store: Store) -> int:
    return (await store.read(lambda unit: unit.now_us)).value


async def write(store: Store, samples: list[Sample], step_us: int = FINE_US) -> None:
    await store.transact(lambda unit: table.write(unit, samples, step_us))


async def make_due(store: Store) -> None:
    await store.transact(
        lambda unit: unit.connection.execute(update(schema.chore).values(due_us=0))
    )


async def test_of_many_replicas_one_takes_each_sample(store: Store) -> None:
    before = (await store.read(lambda unit: unit.position)).value
    pauses = await asyncio.gather(*(sampling(store).sample() for _ in range(3)))
    assert all(0 <= pause <= 10 for pause in pauses)
    samples = await told(store)
    assert len(samples) == 1
    assert samples[0].time_us % FINE_US == 0
    assert (await store.read(lambda unit: unit.position)).value == before


async def test_a_sample_tells_what_happened_and_how_old_the_heartbeats_are(store: Store) -> None:
    def declare(unit: UnitOfWork) -> None:
        unit.save(Template(id="T", version=1))
        for id in ("A", "B", "C"):
            unit.save(UnitServer(id=id))

    def register(unit: UnitOfWork) -> None:
        keys = unit.keys.find(Kind.UNIT_SERVER, "ABC")
        for age_s, (id, key) in enumerate(sorted(keys.items())):
            session = Session(id=f"run-{id}", unit_server=id, unit_server_key=key)
            begin_session(unit, session, lease_us=20_000_000)
            row = schema.lease.c
            unit.connection.execute(
                update(schema.lease)
                .where(row.session == session.id)
                .values(beat_us=unit.now_us - age_s * 1_000_000)
            )

    await store.transact(declare, caller=CALLER)
    await store.transact(register)

    def take(unit: UnitOfWork) -> None:
        # As the sample is taken some seconds later: what is young is not counted yet.
        table.take_sample(unit, Tally(), time_us=(unit.now_us // FINE_US + 1) * FINE_US)

    await store.transact(take)
    (row,) = (
        await store.read(lambda unit: unit.connection.execute(select(table.sample)).all())
    ).value
    assert row.sessions == 3
    assert 0.9e6 < row.beat_median_us < 5e6
    assert row.beat_median_us < row.beat_worst_us < 6e6
    assert (row.span_us, row.good) == (FINE_US, 0)


async def test_an_outage_of_a_minute_is_still_seen_when_only_ten_minutes_are_kept(
    store: Store,
) -> None:
    end_us = await now_us(store) // COARSE_US * COARSE_US
    fine = [
        Sample(
            time_us=end_us - number * FINE_US,
            changes=1,
            healths={Health.BAD: 7} if 12 <= number < 18 else {Health.GOOD: 7},
        )
        for number in range(120)
    ]
    await write(store, fine)
    await sampling(store).sample()
    coarse = await told(store, range_us=FINE_KEPT_US + 1)
    assert [each.time_us for each in coarse] == [end_us - COARSE_US, end_us]
    assert [each.changes for each in coarse] == [60, 60]
    assert [each.healths[Health.BAD] for each in coarse] == [0, 7]
    await make_due(store)
    await sampling(store).sample()
    assert await told(store, range_us=FINE_KEPT_US + 1) == coarse


async def test_a_long_time_is_told_in_few_samples(store: Store) -> None:
    now = await now_us(store) // FINE_US * FINE_US
    await write(store, [Sample(time_us=now - n * FINE_US, changes=1) for n in range(720)])
    day = (await Samples(store).list(range_us=24 * HOUR_US, step_us=0)).value
    assert (day.step_us, sum(each.changes for each in day.samples)) == (50_000_000, 720)
    five = await told(store, range_us=24 * HOUR_US, step_us=300_000_000)
    assert len(five) in (24, 25)
    assert {each.changes for each in five[1:-1]} == {30}
    assert 340 < len(await told(store)) <= 361


async def test_old_samples_are_trimmed_the_coarse_ones_later(store: Store) -> None:
    now = await now_us(store)
    ages = [FINE_US, FINE_KEPT_US + HOUR_US, COARSE_KEPT_US + HOUR_US]
    for step_us in (FINE_US, COARSE_US):
        await write(store, [Sample(time_us=now - age) for age in ages], step_us)
    await Trimming(store, kept_days={}, request_days=365).trim()

    def kept(unit: UnitOfWork) -> list[tuple[int, int]]:
        query = select(table.ROW.step_us, table.ROW.time_us)
        return sorted((step, now - time) for step, time in unit.connection.execute(query))

    found = (await store.read(kept)).value
    assert found == [(FINE_US, ages[0]), (COARSE_US, ages[0]), (COARSE_US, ages[1])]


@pytest.mark.parametrize(("range_us", "step_us"), [(-1, 0), (COARSE_KEPT_US + 1, 0), (0, -1)])
async def test_a_range_that_cannot_be_is_refused(store: Store, range_us: int, step_us: int) -> None:
    with pytest.raises(Refused, match="90 days"):
        await told(store, range_us=range_us, step_us=step_us)
