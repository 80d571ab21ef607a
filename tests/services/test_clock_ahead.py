"""A clock of the database that was ahead: for a moment, as that of a node before a fail-over."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from metadata_server.domain.change import Caller, Position
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.life.overview import Tally
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import Kind
from metadata_server.domain.sample import COARSE_US, FINE_US, Sample
from metadata_server.services import counts
from metadata_server.services.counts import Counts
from metadata_server.services.intent.resources import Resources
from metadata_server.services.past.trimming import DAY_US, MOST_AT_ONCE_US, Trimming
from metadata_server.services.replicas import Replicas
from metadata_server.services.watching.overview import Overviews
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store import samples, schema
from metadata_server.store.chores import TRIM, TRIMMED
from metadata_server.store.past.moments import position_at
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.test_trimming import write

Call = Callable[..., Caller]
AHEAD_US = 500 * DAY_US
HOUR_US = 3_600_000_000


@pytest.fixture
def ahead(store: Store) -> Iterator[Store]:
    """The same database, where its clock is ahead."""
    now_us = store.database.now_us + AHEAD_US
    found = Store(replace(store.database, now_us=now_us))
    yield found
    found.close()


@pytest.fixture
async def written(store: Store, call: Call) -> None:
    """A variable that was changed nine times, by a call with a request id."""
    first = Variable(id="v", value='"first"')
    await Resources(store).create(call(request_id="first"), first, validate_only=False)
    for value in range(9):
        await write(Resources(store), call(), str(value))


async def trim(store: Store, *, days: float = 400) -> bool:
    kept = {Kind.VARIABLE: days}
    return await Trimming(store, kept_days=kept, request_days=365, sighting_days=365).trim()


async def rows(store: Store) -> tuple[int, int]:
    """How many images and requests there are."""

    def work(unit: UnitOfWork) -> tuple[int, int]:
        images, requests = (
            int(unit.connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in (schema.history, schema.request)
        )
        return images, requests

    return (await store.read(work)).value


async def set_chore(store: Store, name: str, due_us: int) -> None:
    changing = schema.chore.update().where(schema.chore.c.name == name).values(due_us=due_us)
    await store.transact(lambda unit: unit.connection.execute(changing))


@pytest.mark.usefixtures("written")
async def test_it_deletes_nothing(store: Store, ahead: Store) -> None:
    await trim(store)
    before = await rows(store)
    assert before == (10, 1)
    for _ in range(3):
        await trim(ahead)
        assert await rows(store) == before
        await set_chore(store, TRIM, 0)
    await trim(store)
    assert await rows(store) == before


@pytest.mark.usefixtures("written")
async def test_what_fell_due_while_nobody_trimmed_is_deleted_a_little_at_a_time(
    store: Store,
) -> None:
    await trim(store)
    now_us = (await store.read(lambda unit: unit.now_us)).value
    earlier = schema.change_set.c.time_us - 30 * DAY_US - HOUR_US // 60
    aging = schema.change_set.update().values(time_us=earlier)
    await store.transact(lambda unit: unit.connection.execute(aging))
    await set_chore(store, TRIMMED, now_us - 5 * MOST_AT_ONCE_US // 2)
    kept = []
    for _ in range(3):
        await set_chore(store, TRIM, 0)
        await trim(store, days=30)
        kept.append((await rows(store))[0])
    assert kept == [10, 10, 1]


@pytest.mark.usefixtures("written")
async def test_the_present_is_read_by_its_time_though_revisions_are_ahead(
    store: Store, ahead: Store, call: Call
) -> None:
    await write(Resources(ahead), call(), '"ahead"')
    await write(Resources(store), call(), '"since"')

    def now(unit: UnitOfWork) -> tuple[Position, Position, int]:
        there = position_at(unit, Moment(time_us=unit.now_us), ())
        return there, unit.position, unit.now_us

    by_time, present, now_us = (await store.read(now)).value
    assert by_time == present
    soon = datetime.fromtimestamp(now_us / 1e6 + 60, UTC).isoformat()
    assert (await Resources(store).get(Variable, "v", as_of=soon)).value.value == '"since"'


async def ahead_us(store: Store, monkeypatch: pytest.MonkeyPatch) -> int:
    """As it is told to those who watch figures."""
    monkeypatch.setattr(counts, "AGE_S", 0.0)
    overviews = Overviews(store, Tailer(store), age_s=600)
    counted = await Counts(store, overviews, Replicas(store)).read()
    assert counted is not None
    return counted.ahead_us


@pytest.mark.usefixtures("written")
async def test_people_are_told_that_revisions_are_ahead(
    store: Store, ahead: Store, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    trimming = Trimming(store, kept_days={}, request_days=365)
    told: list[Mapping[str, object]] = []
    for number, clock in enumerate((store, ahead, store, store)):
        await write(Resources(clock), call(), f'"{number}"')
        await set_chore(store, TRIM, 0)
        with capture_logs() as logs:
            await trimming.trim()
        told += (each for each in logs if each["event"] == "revisions_ahead_of_clock")
    (once,) = told
    assert AHEAD_US - HOUR_US < once["ahead_s"] * 1_000_000 <= AHEAD_US  # type: ignore[operator]
    assert AHEAD_US - HOUR_US < await ahead_us(store, monkeypatch) <= AHEAD_US + HOUR_US
    moved = schema.revision.update().values(time_us=0)
    await store.transact(lambda unit: unit.connection.execute(moved))
    assert await ahead_us(store, monkeypatch) == 0


async def test_it_holds_up_no_samples_that_are_kept_for_long(store: Store) -> None:
    now_us = (await store.read(lambda unit: unit.now_us)).value
    end_us = now_us // COARSE_US * COARSE_US
    of_then = [Sample(time_us=end_us + AHEAD_US, changes=1)]
    fine = [Sample(time_us=end_us - number * FINE_US, changes=1) for number in range(60)]

    def work(unit: UnitOfWork) -> list[int]:
        samples.write(unit, of_then, COARSE_US)
        samples.write(unit, fine, FINE_US)
        samples.take_sample(unit, Tally(), time_us=end_us + FINE_US)
        told = samples.samples(unit, 0, end_us, step_us=COARSE_US)
        return [each.changes for each in told]

    assert (await store.transact(work)).value == [60]
