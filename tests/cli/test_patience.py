"""What commands do where no server answers: say so soon, and wait only for one that may come."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import create_server

import pytest
from mds.v1.agent_pb2 import ListAgentsRequest

from control_units.cli import patience
from control_units.cli.connection import Connection
from control_units.client import Client, Unreachable
from tests.cli.conftest import run_mds
from tests.conftest import StartReplica
from tests.stages.ports import free_port
from tests.stages.waiting import until


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that takes connections, and says nothing."""
    with closing(create_server(("127.0.0.1", 0), backlog=50)) as socket:
        address = f"127.0.0.1:{socket.getsockname()[1]}"
        monkeypatch.setenv("MDS_ADDRESS", address)
        yield address


async def list_agents(client: Client, timeout: float | None = None) -> None:
    await client.agents.ListAgents(ListAgentsRequest(), timeout=timeout)


def test_where_nobody_listens_it_says_so_and_gives_up_soon(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(patience, "ABSENT_S", patience.QUIET_S + 0.2)
    addresses = [f"127.0.0.1:{free_port()}", f"localhost:{free_port()}"]
    monkeypatch.setenv("MDS_ADDRESS", ",".join(addresses))
    with pytest.raises(Unreachable, match="nobody listens"):
        Connection().run(list_agents)
    told = capsys.readouterr().err
    assert f"Nobody listens at {', '.join(addresses)}." in told
    assert "--address or MDS_ADDRESS" in told


def test_for_a_server_that_is_there_and_silent_it_waits(
    silent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(patience, "QUIET_S", 0.1)

    async def ask(client: Client) -> str:
        # Of its time a try gets a share: with two servers to ask it ends before the call does.
        asking = asyncio.create_task(list_agents(client, timeout=4))
        told = await until(lambda: capsys.readouterr().err)
        assert not asking.done(), "it tells while it still tries"
        asking.cancel()
        return told

    monkeypatch.setenv("MDS_ADDRESS", f"{silent},127.0.0.1:{free_port()}")
    assert "Trying again for up to 30 s" in Connection().run(ask)


async def test_a_server_that_has_answered_is_waited_for_while_it_restarts(
    start_replica: StartReplica,
    sqlite_database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(patience, "QUIET_S", 0.1)
    monkeypatch.setattr(patience, "ABSENT_S", 0.1)
    replica = await start_replica(sqlite_database)

    async def work(client: Client) -> str:
        await list_agents(client)
        replica.kill()
        asking = asyncio.create_task(list_agents(client))
        told = await until(lambda: capsys.readouterr().err)
        await replica.start()
        await asking
        return told

    async with Client(replica.address, timeout=30) as client:
        told = await patience.patiently(client, 30, work(client))
    assert replica.address in told
    assert "Trying again for up to 30 s" in told


async def test_problems_of_a_file_are_told_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text('{"us": [\n  {"ndk_uid": "no good"}, {"ndk_uid": "S"}\n]}')
    environment = {"MDS_ADDRESS": f"127.0.0.1:{free_port()}"}
    ended = await run_mds("import", "chaos", str(file), environment=environment)
    assert ended.code == 1
    assert "us[0].ndk_uid" in ended.out
    assert "not asked" in ended.out
