"""What unit servers are told after a wave of changes is read for all of them together."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.services.life.hosting import Told
from metadata_server.store.store import Answer, Store
from tests.services.lively import CALLER, Facility, facility


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.resources.create(CALLER, UnitServer(id="OTHER"), validate_only=False)
        await found.declare("A/PS1")
        await found.declare("B/PS1", server="OTHER")
        yield found


async def key_of(lab: Facility, unit_id: str) -> int:
    return (await lab.resources.get(ControlUnit, unit_id)).value.meta.key


def ids(told: Answer[list[Told]] | None) -> list[str] | None:
    return None if told is None else [each.hosted.id for each in told.value]


async def test_who_asks_at_once_is_told_of_its_own_units_only(lab: Facility) -> None:
    sessions = [(await lab.register(unit_server=id)).session for id in ("US", "OTHER")]
    keys = {await key_of(lab, "A/PS1"), await key_of(lab, "B/PS1")}
    looks = [lab.liveness.looks.look(session, keys) for session in sessions]
    assert [ids(told) for told in await asyncio.gather(*looks)] == [["A/PS1"], ["B/PS1"]]


async def test_a_unit_that_has_come_is_left_to_who_can_take_it_in(lab: Facility) -> None:
    session = (await lab.register()).session
    here, coming = await key_of(lab, "A/PS1"), await key_of(lab, "B/PS1")
    await lab.change("B/PS1", unit_server="US")
    assert await lab.liveness.looks.look(session, {here, coming}) is None
    assert ids(await lab.liveness.looks.look(session, {here})) == ["A/PS1"]


async def test_a_stream_that_ends_while_it_waits_holds_nobody_up(lab: Facility) -> None:
    session = (await lab.register()).session
    keys = {await key_of(lab, "A/PS1")}
    ended = asyncio.create_task(lab.liveness.looks.look(session, keys))
    await asyncio.sleep(0)
    ended.cancel()
    assert ids(await lab.liveness.looks.look(session, keys)) == ["A/PS1"]
