"""What is old is trimmed by one replica, and never behind anybody's back."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.facility import Variable
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.services.past.trimming import DAY_US, Trimming
from metadata_server.store import schema
from metadata_server.store.past import retention
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

Call = Callable[..., Caller]


def trimming(store: Store) -> Trimming:
    return Trimming(store, kept_days={Kind.VARIABLE: 30}, request_days=365)


async def age(store: Store, days: int) -> None:
    """Lets everything have happened so many days earlier; the chore is due."""

    def work(unit: UnitOfWork) -> None:
        for column in (schema.change_set.c.time_us, schema.status_history.c.time_us):
            unit.connection.execute(
                update(column.table).values({column.name: column - days * DAY_US})
            )
        unit.connection.execute(update(schema.chore).values(due_us=0))

    await store.transact(work)


async def write(resources: Resources, caller: Caller, value: str) -> None:
    await resources.update(
        caller,
        Variable,
        "v",
        etag="*",
        change=lambda before: replace(before, value=value),
        validate_only=False,
    )


@pytest.fixture
async def resources(store: Store, call: Call) -> Resources:
    """With a variable that was changed ten times, 31 days ago."""
    resources = Resources(store)
    await resources.create(
        call(request_id="first"), Variable(id="v", value='"first"'), validate_only=False
    )
    for value in range(9):
        await write(resources, call(), str(value))
    await age(store, 31)
    return resources


async def images(store: Store) -> int:
    query = select(func.count()).select_from(schema.history)
    return int((await store.read(lambda unit: unit.connection.execute(query).scalar_one())).value)


async def test_what_is_older_than_its_kind_is_kept_is_trimmed(
    store: Store, resources: Resources, call: Call
) -> None:
    await write(resources, call(), '"now"')
    assert not await trimming(store).trim()
    assert await images(store) == 2
    with pytest.raises(Refused, match="HISTORY_TRIMMED"):
        await resources.get(Variable, "v", as_of="3")
    assert (await resources.get(Variable, "v", as_of="10")).value.value == "8"


async def test_a_kind_without_a_time_is_kept_for_ever(store: Store, resources: Resources) -> None:
    kept = Trimming(store, kept_days={Kind.VARIABLE: 0}, request_days=365)
    assert not await kept.trim()
    assert await images(store) == 10


async def test_of_two_replicas_one_trims(
    database: str, store: Store, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", 4)
    with opened_store(database) as other:
        more = await asyncio.gather(trimming(store).trim(), trimming(other).trim())
        assert sorted(more) == [False, True]
        assert await images(store) == 7
        while await images(store) > 1:
            await store.transact(
                lambda unit: unit.connection.execute(update(schema.chore).values(due_us=0))
            )
            await asyncio.gather(trimming(store).trim(), trimming(other).trim())
    assert (await resources.get(Variable, "v")).value.value == "8"


async def test_a_repeated_call_whose_answer_is_trimmed_says_so(
    store: Store, resources: Resources, call: Call
) -> None:
    await trimming(store).trim()
    with pytest.raises(Refused, match="HISTORY_TRIMMED"):
        await resources.create(
            call(request_id="first"), Variable(id="v", value='"first"'), validate_only=False
        )
