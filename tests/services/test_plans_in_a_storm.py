"""Bundles that remove, move and bring back units while their unit servers register and report:
everybody gets through within the tries that a store allows, and nothing is lost.

That all lock in one order makes deadlocks rare; on tables as small as these the database scans,
and locks, more than it is asked for.
"""

import asyncio
from itertools import count

import pytest

from metadata_server.domain.intent.bundle import Item, OnConflict, PruneScope
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.bundles import Bundles
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from tests.services.lively import CALLER, Facility, attached, facility, report
from tests.stages.opened_store import opened_store

IDS = [f"A/{number:02}" for number in range(20)]
ROUNDS = 15
SCOPE = PruneScope((Kind.CONTROL_UNIT,), "A/")

pytestmark = pytest.mark.timeout(120)


def unit(id: str, server: str) -> ControlUnit:
    return ControlUnit(id=id, template="Supply", unit_server=server, desired_state=State.RUNNING)


async def bundles(lab: Facility) -> None:
    """Some units go, some move, and all come back; again and again."""
    how = Applying(on_conflict=OnConflict.REPLACE, prune=(SCOPE,))
    for turn in range(ROUNDS):
        for wanted in (
            [unit(id, "US") for id in reversed(IDS)],
            [unit(id, "US2") for id in IDS[turn % 5 :: 3]],
        ):
            await apply(lab, wanted, how)
    await apply(lab, [unit(id, "US") for id in IDS], how)


async def apply(lab: Facility, wanted: list[Resource] | list[ControlUnit], how: Applying) -> None:
    items = [Item("", each.name, each) for each in wanted]
    applied = await Bundles(lab.store).apply(CALLER, items, how, ApplyProgress())
    assert applied.value.summary.applied


async def registrations(lab: Facility, over: asyncio.Event) -> int:
    for number in count():
        if over.is_set():
            return number
        await lab.register()
    raise AssertionError


async def reports(lab: Facility, over: asyncio.Event) -> int:
    """Every unit says again and again that it runs; those that are gone are refused."""
    async with attached(lab, await lab.register()) as (unit_server, ear):
        for number in count():
            if over.is_set() or ear.is_over:
                assert ear.ended is None
                return number
            said = [report(id, number * len(IDS) + n, State.RUNNING) for n, id in enumerate(IDS, 1)]
            await unit_server.report(said)
            await lab.position()
    raise AssertionError


async def test_everybody_gets_through(mariadb_database: str) -> None:
    over = asyncio.Event()
    with opened_store(mariadb_database) as store:
        async with facility(store) as lab:
            await lab.resources.create(CALLER, UnitServer(id="US2"), validate_only=False)
            async with asyncio.TaskGroup() as tasks:
                registered = tasks.create_task(registrations(lab, over))
                reported = tasks.create_task(reports(lab, over))
                await bundles(lab)
                over.set()
            await lab.register()
            there = await lab.statuses()
            declared = await store.read(lambda unit: unit.resources.where(ControlUnit))
    assert min(registered.result(), reported.result()) > 3, "they were at it all the while"
    assert {each.id: each.unit_server for each in declared.value} == dict.fromkeys(IDS, "US")
    assert {each.id for each in there.values() if each.session} == set(IDS)
