"""Orders to agents end no more than was shown."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from mds.v1.agent_pb2 import Agent

from control_units.client import Client
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.stages.replica import Replica
from tests.store.planned import Plan, Unit, build
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import form_in, submit
from webui.agents import launching

StartReplica = Callable[..., Awaitable[Replica]]
NEW = "/launches/new"
RESTART = f"{NEW}?how=restart&unit_server=RING"
MORE = "by now more units would end, or be left without what they require, than were shown"
PLAN = Plan(
    {"RING": Contact.ALIVE, "LINAC": Contact.ALIVE},
    [
        Unit(id, server, State.RUNNING, state, Contact.ALIVE)
        for id, server, state in (
            ("R/1", "RING", State.RUNNING),
            ("R/2", "RING", State.STOPPED),
            ("L/1", "LINAC", State.STOPPED),
            ("L/2", "LINAC", State.STOPPED),
        )
    ],
)


@dataclass
class Crate:
    """Two unit servers that an agent launches, a page about them, and what their units say."""

    client: Client
    site: Site
    store: Store

    async def report(self, id: str, state: State) -> None:
        def say(unit: UnitOfWork) -> None:
            key = unit.keys.key_of(Kind.CONTROL_UNIT, id)
            before = statuses_of(unit, [key], lock=True)[key]
            save_statuses(unit, [replace(before, state=state, sequence=before.sequence + 1)])

        await self.store.transact(say)

    async def restarts(self) -> int:
        return (await self.client.unit_servers.get("RING")).launch.restart_count


@pytest.fixture
async def crate(start_replica: StartReplica, sqlite_database: str, open_site: OpenSite) -> Any:
    replica = await start_replica(sqlite_database)
    with opened_store(sqlite_database) as store:
        build(store, PLAN)
        async with Client(replica.address) as client:
            await client.apply([Agent(name="agents/host-1")], reason="a test")
            for server in PLAN.servers:
                await client.unit_servers.change(server, launched_here)
            await client.control_units.change("L/1", needs_the_ring)
            await client.control_units.change("L/2", needs_the_ring)
            yield Crate(client, await open_site(replica.address), store)


def launched_here(server: Any) -> None:
    server.launch.agent = "agents/host-1"


def needs_the_ring(unit: Any) -> None:
    unit.requires.append("control_units/R/1")


async def test_no_more_units_are_ended_than_were_shown(crate: Crate) -> None:
    form = form_in(await crate.site.text(RESTART), NEW)
    await crate.report("R/2", State.RUNNING)
    text = await submit(crate.site, form, status=422)
    assert MORE in text
    assert "2 running control units end with them" in text
    assert await crate.restarts() == 0
    form = form_in(text, NEW)
    await crate.report("R/1", State.STOPPED)
    await submit(crate.site, form)
    assert await crate.restarts() == 1, "fewer are in nobody's way"
    await submit(crate.site, form)
    assert await crate.restarts() == 1, "the same, sent again"


async def test_no_others_are_left_without_what_they_require_than_were_shown(crate: Crate) -> None:
    await crate.report("L/1", State.RUNNING)
    text = await crate.site.text(RESTART)
    assert "Blast radius: 1 running" in text
    form = form_in(text, NEW)
    await crate.report("L/1", State.STOPPED)
    await crate.report("L/2", State.RUNNING)
    text = await submit(crate.site, form, status=422)
    assert MORE in text
    assert "/control_units/L/2" in text
    assert await crate.restarts() == 0
    await crate.report("L/2", State.STOPPED)
    await submit(crate.site, form_in(text, NEW))
    assert await crate.restarts() == 1


async def test_a_start_ends_nobody_and_is_as_shown(crate: Crate) -> None:
    form = form_in(await crate.site.text(f"{NEW}?how=start&unit_server=RING"), NEW)
    await crate.report("R/2", State.RUNNING)
    assert "Ordered" in await submit(crate.site, form)


async def test_what_was_begun_is_gone_on_with_when_it_is_sent_again(
    crate: Crate, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = form_in(await crate.site.text(f"{RESTART}&unit_server=LINAC"), NEW)
    order = launching._order

    async def lose_the_second(client: Client, how: str, id: str, *more: str) -> Any:
        if id == "LINAC":
            raise TimeoutError
        return await order(client, how, id, *more)

    with monkeypatch.context() as network:
        network.setattr(launching, "_order", lose_the_second)
        text = await submit(crate.site, form, status=503)
    # What was launched again has come up.
    await crate.report("R/2", State.RUNNING)
    await submit(crate.site, form_in(text, NEW))
    for id in PLAN.servers:
        assert (await crate.client.unit_servers.get(id)).launch.restart_count == 1, id
