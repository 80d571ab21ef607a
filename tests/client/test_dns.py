"""Servers whose addresses stand in the DNS."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from mds.v1.template_pb2 import GetTemplateRequest
from mds.v1.watch_pb2 import WatchRequest, WatchResponse

from control_units.client import Client, Unreachable, directory, dns_names
from tests.client.name_server import NameServer
from tests.client.scripted_server import ScriptedServer, hang, template
from tests.stages.ports import free_port
from tests.stages.waiting import until

GET = GetTemplateRequest(name="templates/A")


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    async with NameServer() as server:
        server.records["here", "A"] = ["127.0.0.1"]
        yield server


@pytest.fixture
async def one() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer([template]) as server:
        yield server


@pytest.fixture
async def other() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer([template]) as server:
        yield server


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks again sooner than people want."""
    monkeypatch.setattr(directory, "SOON_S", 0.05)


async def test_each_record_of_a_name_is_a_server(names: NameServer, one: ScriptedServer) -> None:
    names.records["mds", "A"] = ["127.0.0.9", "127.0.0.1"]  # at the first nobody listens
    names.records["mds", "AAAA"] = ["::1"]
    for _ in range(6):  # whichever is asked first
        async with Client(f"dns://{names.address}/mds:{one.port}") as client:
            await client.templates.GetTemplate(GET)
            assert client.address == one.address
            hosts = ("127.0.0.9", "127.0.0.1", "[::1]")
            assert set(client.addresses) == {f"{host}:{one.port}" for host in hosts}


async def test_names_of_this_machine_need_no_name_server(one: ScriptedServer) -> None:
    async with Client(f"dns:localhost:{one.port}") as client:
        await client.templates.GetTemplate(GET)
        assert one.address in client.addresses


async def test_servers_of_a_later_priority_wait(
    names: NameServer, one: ScriptedServer, other: ScriptedServer
) -> None:
    names.services("site", f"1 9 {one.port} here.", f"0 1 {other.port} here.")
    for _ in range(6):
        async with Client(f"srv://{names.address}/site") as client:
            await client.templates.GetTemplate(GET)
    assert (len(one.calls), len(other.calls)) == (0, 6)
    await other.__aexit__()
    async with Client(f"srv://{names.address}/site") as client:
        await client.templates.GetTemplate(GET)
        assert client.address == one.address


async def test_a_stream_may_be_the_first_call(names: NameServer) -> None:
    async with ScriptedServer([hang], [WatchResponse()]) as server:
        names.services("site", f"0 1 {server.port} here.")
        async with Client(f"srv://{names.address}/site") as client:
            stream = client.watch.Watch(WatchRequest())
            assert await anext(aiter(stream)) == WatchResponse()
            stream.cancel()


async def test_a_stream_finds_out_that_there_is_no_server(names: NameServer) -> None:
    async with Client(f"srv://{names.address}/site") as client:
        with pytest.raises(Unreachable, match="there is no such name"):
            await anext(aiter(client.watch.Watch(WatchRequest())))
        assert isinstance(client.failure, Unreachable)


@pytest.mark.usefixtures("hasty")
async def test_a_server_that_has_moved_is_found_when_calls_fail(
    names: NameServer, one: ScriptedServer, other: ScriptedServer
) -> None:
    names.services("site", f"0 1 {one.port} here.")
    async with Client(f"srv://{names.address}/site") as client:
        await client.templates.GetTemplate(GET)
        names.services("site", f"0 1 {other.port} here.")
        await one.__aexit__()
        await client.templates.GetTemplate(GET)
        assert client.addresses == (other.address,)


@pytest.mark.usefixtures("hasty")
async def test_it_is_looked_again_now_and_then(
    names: NameServer, one: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "PERIOD_S", 0.05)
    names.services("site", f"0 1 {one.port} here.")
    async with Client(f"srv://{names.address}/site") as client:
        await client.templates.GetTemplate(GET)
        second = free_port()
        names.services("site", f"0 1 {one.port} here.", f"0 1 {second} here.")
        await until(lambda: client.addresses == (one.address, f"127.0.0.1:{second}"))


@pytest.mark.usefixtures("hasty")
async def test_a_name_server_that_fails_stops_nobody(
    names: NameServer, one: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "PERIOD_S", 0.05)
    names.services("site", f"0 1 {one.port} here.")
    async with Client(f"srv://{names.address}/site") as client:
        await client.templates.GetTemplate(GET)
        names.records.clear()
        asked = names.asked
        await until(lambda: names.asked > asked + 2)
        await client.templates.GetTemplate(GET)


@pytest.mark.usefixtures("hasty")
async def test_a_call_waits_for_a_name_that_comes(names: NameServer, one: ScriptedServer) -> None:
    async with Client(f"srv://{names.address}/site") as client:
        waiting = asyncio.ensure_future(client.templates.GetTemplate(GET))
        await until(lambda: client.failure)
        names.services("site", f"0 1 {one.port} here.")
        assert (await waiting).name == "templates/A"


async def test_what_is_wrong_and_what_would_be_right_is_said(names: NameServer) -> None:
    names.records["bare", "TXT"] = ['"no addresses here"']
    names.services("none", "0 0 0 .")
    wrong = {
        f"srv://{names.address}/site": "no SRV record at _mds._tcp.site.*no such name.*Right would",
        f"srv://{names.address}/_x._tcp.bare": "no SRV record at _x._tcp.bare.*no such name",
        f"srv://{names.address}/none": "say that there is no server",
        f"dns://{names.address}/site": "site .*MDS_ADDRESS.* does not resolve: there is no such",
        f"dns://{names.address}/bare": "bare .* does not resolve: .*records of other kinds",
        f"dns:{'x' * 64}": "xxx .* does not resolve: .*too long",  # no name server is asked
    }
    for address, said in wrong.items():
        async with Client(address) as client:
            with pytest.raises(Unreachable, match=said) as failed:
                await client.templates.GetTemplate(GET, timeout=0.2)
            assert failed.value.address == client.written == client.address


async def test_a_name_server_that_says_nothing_is_named(
    names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns_names, "LIFETIME_S", 0.2)
    names.is_mute = True
    async with Client(f"dns://{names.address}/mds") as client:
        with pytest.raises(Unreachable, match=f"no name server answers at {names.address}"):
            await client.templates.GetTemplate(GET, timeout=2)
