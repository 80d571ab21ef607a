"""`mds serve` as its operators meet it: starting, refusing to start, draining, losing its
database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from mds.v1 import agent_pb2

from control_units.client import Client, Refused, Unreachable
from tests.stages.mariadb import MariaDB
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

StartReplica = Callable[..., Awaitable[Replica]]


async def create(client: Client, id: str) -> agent_pb2.Agent:
    agent = agent_pb2.Agent(name=f"agents/{id}")
    return await client.agents.CreateAgent(agent_pb2.CreateAgentRequest(agent=agent))


async def names(client: Client) -> list[str]:
    reply = await client.agents.ListAgents(agent_pb2.ListAgentsRequest(page_size=1000))
    return [agent.name for agent in reply.agents]


async def ended(*arguments: str, folder: Path, **environment: str) -> tuple[int, str]:
    """Exit status and output of an `mds` command that ends by itself."""
    program = Program.mds(*arguments, log=folder / "ended.log", environment=environment)
    program.start()
    try:
        return await program.ended(within=30), program.output()
    finally:
        program.clear()


async def test_the_embedded_database_is_made_by_itself_in_the_data_folder(
    tmp_path: Path, start_replica: StartReplica, sqlite_database: str
) -> None:
    replica = Replica(sqlite_database, tmp_path)
    del replica.program.environment["MDS_DATABASE_URL"]
    replica.program.start()
    try:
        await replica.ready()
        assert (tmp_path / "data" / "mds" / "mds.db").is_file()
    finally:
        replica.program.clear()


async def test_an_empty_served_database_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, empty_mariadb_database: str
) -> None:
    status, said = await ended("serve", folder=tmp_path, MDS_DATABASE_URL=empty_mariadb_database)
    assert status == 1
    assert "mds migrate" in said


async def test_a_second_copy_is_told_which_setting_to_change(
    replica: Replica, tmp_path: Path
) -> None:
    status, said = await ended("serve", folder=tmp_path, **replica.program.environment)
    assert status == 1
    assert f"Port {replica.port}" in said
    assert "MDS_GRPC_PORT" in said
    assert all(line.startswith(("{", "Error: ")) for line in said.splitlines()), said


async def test_who_finds_a_port_taken_has_touched_no_database(
    replica: Replica, tmp_path: Path
) -> None:
    file = tmp_path / "other.db"
    for port in ("MDS_GRPC_PORT", "MDS_HTTP_PORT"):
        settings = {
            "MDS_DATABASE_URL": f"sqlite:///{file}",
            "MDS_GRPC_PORT": "0",
            "MDS_HTTP_PORT": "0",
            port: replica.program.environment[port],
        }
        status, said = await ended("serve", folder=tmp_path, **settings)
        assert status == 1
        assert port in said
        assert not file.exists()


async def test_a_folder_that_somebody_names_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "msispelt"
    for command in ("serve", "migrate"):
        status, said = await ended(
            command, folder=tmp_path, MDS_DATABASE_URL=f"sqlite:///{folder}/mds.db"
        )
        assert status == 1
        assert f"the folder {folder}, which is not there" in said
    assert not folder.exists()


@pytest.mark.parametrize(
    "content", [b"no database at all\n" * 100, b"SQLite format 3\0" + b"x" * 9000]
)
async def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "damaged.db"
    file.write_bytes(content)
    settings = {
        "MDS_DATABASE_URL": f"sqlite:///{file}",
        "MDS_GRPC_PORT": "0",
        "MDS_HTTP_PORT": "0",
    }
    status, said = await ended("serve", folder=tmp_path, **settings)
    assert status == 1
    assert "backup" in said
    assert str(file) in said
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("MDS_GRPC_PORT", "high", "MDS_GRPC_PORT is 'high'"),
        ("MDS_HOST", "0.0.0.0", "MDS_INSECURE=1"),
        ("MDS_HEARTBEAT_S", "10", "three heartbeats in a lease"),
        ("MDS_DATABASE_URL", "postgresql://somewhere/db", "mysql+pymysql://"),
        (
            "MDS_DATABASE_URL",
            "mysql://mds:verysecret@somewhere/db",
            "whose driver is not installed",
        ),
        ("MDS_DATABASE_URL", "mds:verysecret@somewhere", "is no URL of a database"),
        ("MDS_DATABASE_URL", "", "is no URL of a database"),
    ],
)
async def test_a_wrong_setting_is_named_with_what_would_be_right(
    tmp_path: Path, variable: str, value: str, told: str
) -> None:
    settings = {"XDG_DATA_HOME": str(tmp_path), variable: value}
    for command in ("serve", "migrate"):
        status, said = await ended(command, folder=tmp_path, **settings)
        assert status in {1, 2}
        assert told in said
        assert "Traceback" not in said
        assert "verysecret" not in said


async def test_no_secret_is_shown(tmp_path: Path) -> None:
    url = "mysql+pymysql://mds:verysecret@127.0.0.1:1/mds"
    _, shown = await ended("config", folder=tmp_path, MDS_DATABASE_URL=url)
    assert "mysql+pymysql://mds:***@127.0.0.1:1/mds" in shown
    assert "environment" in shown
    _, said = await ended("migrate", folder=tmp_path, MDS_DATABASE_URL=url)
    assert "verysecret" not in shown + said


async def test_sigterm_drains_and_loses_nothing_acknowledged(replica: Replica) -> None:
    acknowledged: list[str] = []

    async def write() -> None:
        async with Client(replica.address, timeout=2) as client:
            for number in range(10_000):
                try:
                    acknowledged.append((await create(client, f"a{number:05}")).name)
                except (Refused, Unreachable):
                    return

    writing = asyncio.create_task(write())
    await until(lambda: len(acknowledged) > 50, what="50 writes")
    assert await replica.terminate() == 0
    await writing
    await replica.start()
    async with Client(replica.address) as client:
        found = set(await names(client)) if len(acknowledged) < 1000 else set(acknowledged)
    assert set(acknowledged) <= found


async def test_sigkill_loses_nothing_acknowledged(replica: Replica) -> None:
    async with Client(replica.address) as client:
        wanted = [(await create(client, f"a{number}")).name for number in range(20)]
    await replica.restart()
    async with Client(replica.address) as client:
        assert await names(client) == sorted(wanted)


async def test_ready_follows_the_database_and_live_does_not(
    start_replica: StartReplica, mariadb: MariaDB, mariadb_database: str
) -> None:
    replica = await start_replica(mariadb_database)
    mariadb.kill()
    await until(lambda: health_is(replica, "ready", "NOT_SERVING"), within=15)
    assert await replica.health("") == "SERVING"
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{replica.http}/healthz/ready") as reply:
            assert reply.status == 503
            assert "database" in (await reply.json())["problem"]
        async with http.get(f"{replica.http}/healthz/ready?unready=404") as reply:
            assert reply.status == 404, "a balancer keeps its streams"
        async with http.get(f"{replica.http}/healthz/live") as reply:
            assert reply.status == 200
    async with Client(replica.address, timeout=1) as client:
        with pytest.raises(Refused, match="DATABASE_UNAVAILABLE"):
            await create(client, "lost")
    mariadb.restart()
    await until(lambda: health_is(replica, "ready", "SERVING"), within=15)
    async with Client(replica.address) as client:
        assert (await create(client, "found")).name == "agents/found"


async def test_a_replica_whose_database_falls_silent_says_so_long_before_its_connections_give_up(
    start_replica: StartReplica, mariadb: MariaDB, mariadb_database: str
) -> None:
    replica = await start_replica(mariadb_database)
    mariadb.pause()  # its connections stay open, and nothing is refused
    await until(lambda: health_is(replica, "ready", "NOT_SERVING"), within=20)
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{replica.http}/healthz/ready") as reply,
    ):
        assert reply.status == 503
        assert "The database does not answer" in (await reply.json())["problem"]
    mariadb.resume()
    await until(lambda: health_is(replica, "ready", "SERVING"), within=15)


async def health_is(replica: Replica, service: str, wanted: str) -> bool:
    return await replica.health(service) == wanted


async def test_figures_and_logs_tell_of_calls(replica: Replica) -> None:
    async with Client(replica.address, principal="somebody") as client:
        await create(client, "a")
        with pytest.raises(Refused):
            await create(client, "a")
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{replica.http}/metrics") as reply,
    ):
        figures = await reply.text()
    assert 'mds_calls_total{code="OK",face="grpc",method="Agents.CreateAgent"} 1.0' in figures
    assert 'reason="ALREADY_EXISTS"' in figures
    assert 'mds_transactions_total{kind="write",outcome="done"}' in figures
    assert 'mds_control_units_by_health{health="BAD"} 0.0' in figures
    assert 'mds_database_nodes{role="WRITER"} 1.0' in figures
    lines = [json.loads(line) for line in replica.program.output().splitlines() if "{" in line]
    calls = [line for line in lines if line["event"] == "call"]
    assert [call["reason"] for call in calls if call["method"] == "Agents.CreateAgent"] == [
        "",
        "ALREADY_EXISTS",
    ]
    assert {call["principal"] for call in calls} == {"somebody"}
