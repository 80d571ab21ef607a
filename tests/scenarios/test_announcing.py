"""Servers that announce themselves, and those who find them. All of it on loopback."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from control_units.client import Client
from metadata_server.api.announcing import Announcing
from metadata_server.settings import Settings
from tests.cli.conftest import run_mds
from tests.conftest import StartReplica
from tests.services.watched import following
from tests.stages.multicast import what_is_missing
from tests.stages.opened_store import opened_store
from tests.stages.ports import free_port
from tests.stages.replica import Replica
from tests.stages.requirements import needs
from tests.stages.waiting import until

Announce = Callable[[str], Awaitable[Replica]]


@pytest.fixture(autouse=True)
def multicast() -> None:
    needs(what_is_missing())


@pytest.fixture
def facility() -> str:
    """A name that no other test has: all of them hear each other."""
    return f"Test {free_port()}"


@pytest.fixture
def announce(start_replica: StartReplica, sqlite_database: str, facility: str) -> Announce:
    """Starts a replica that announces itself."""

    async def start(name: str) -> Replica:
        settings = {"MDS_ANNOUNCE": "1", "MDS_FACILITY": facility, "MDS_REPLICA": name}
        return await start_replica(sqlite_database, environment=settings)

    return start


async def test_announced_servers_are_found_with_what_they_say(
    announce: Announce, facility: str
) -> None:
    replica = await announce("one")
    await until(lambda: '"announced"' in replica.program.output())
    where = f"zeroconf://127.0.0.1/{facility.lower()}"
    ended = await run_mds("discover", where, "-o", "json")
    (found,) = json.loads(ended.out)
    assert len(found.pop("store")) == 36
    assert found.pop("version")
    assert found == {
        "address": replica.address,
        "replica": "one",
        "facility": facility,
        "tls": False,
        "http": replica.http_port,
        "priority": 0,
        "weight": 1,
        "state": "ready",
    }
    # Whoever calls takes the same address, and finds REST where it was announced.
    told = await run_mds("--address", where, "list", "agents", "--as-curl")
    assert f"{replica.http}/v1/agents" in told.out
    await replica.terminate()
    ended = await run_mds("discover", where)
    assert (ended.code, ended.out) == (3, "")
    assert (
        f"No server of a facility '{facility.lower()}'" in ended.err or "MDS_ANNOUNCE" in ended.err
    )


async def test_a_client_hears_who_comes_and_who_ends(announce: Announce, facility: str) -> None:
    one = await announce("one")
    async with Client(f"zeroconf://127.0.0.1/{facility}", timeout=30) as client:
        assert [each async for each in client.agents.list()] == []
        assert client.addresses == (one.address,)
        other = await announce("other")
        await until(lambda: set(client.addresses) == {one.address, other.address}, within=20)
        await one.terminate()
        await until(lambda: client.addresses == (other.address,), within=20)
        assert [each async for each in client.agents.list()] == []
        assert client.address == other.address


async def test_a_server_is_not_announced_unless_it_is_told_to(
    start_replica: StartReplica, sqlite_database: str, facility: str
) -> None:
    replica = await start_replica(sqlite_database, environment={"MDS_FACILITY": facility})
    assert "announced" not in replica.program.output()
    assert "zeroconf" not in replica.program.output()


async def test_a_name_that_clients_could_not_write_is_refused() -> None:
    ended = await run_mds("serve", environment={"MDS_FACILITY": "a,b"})
    assert ended.code == 2
    assert "MDS_FACILITY is 'a,b'; right would be up to 63 characters without commas" in ended.err


async def test_an_announcement_outlives_a_network_that_fails_for_a_while(
    sqlite_database: str, facility: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a name server does that is away, or an interface that is taken down."""
    looked_up = failed = 0
    fails = False
    found = socket.getaddrinfo

    def look_up(*arguments: Any, **more: Any) -> Any:
        nonlocal looked_up, failed
        looked_up += 1
        if fails:
            failed += 1
            raise OSError("no name server")
        return found(*arguments, **more)

    monkeypatch.setattr("metadata_server.api.announcing.LOOK_S", 0.02)
    monkeypatch.setattr("metadata_server.api.announcing.socket.getaddrinfo", look_up)
    settings = Settings(host="localhost", facility=facility, replica="one")
    with opened_store(sqlite_database) as store, capture_logs() as logs:
        async with following(store) as followed:
            running = asyncio.create_task(Announcing(settings, followed.tailer).run(7400, 7401))
            await until(lambda: looked_up > 1)
            fails = True
            await until(lambda: failed > 2 or running.done())
            fails, before = False, looked_up
            await until(lambda: looked_up > before + 1 or running.done())
            assert not running.done()
            followed.tailer.drain()
            await running
    events = [each["event"] for each in logs if "announce" in each["event"]]
    assert events == ["announced", "announced_as_before", "announcement_withdrawn"]
