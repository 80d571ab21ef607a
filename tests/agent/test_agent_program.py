"""`mds agent` as a host runs it: killed, started twice, left alone by all servers."""

import os
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1 import agent_pb2, unit_server_pb2

from control_units.agent.folder import AgentFolder
from control_units.client import Client
from tests.agent.programs import STAYS, is_running, launch
from tests.conftest import StartReplica
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

AGENT = "agents/host-1"
Declared = unit_server_pb2.UnitServer


@pytest.fixture
async def replica(start_replica: StartReplica, sqlite_database: str) -> Replica:
    return await start_replica(sqlite_database)


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address) as found:
        yield found


@pytest.fixture
async def agent(client: Client, replica: Replica, tmp_path: Path) -> AsyncIterator[Program]:
    """A declared agent, not started; what it launched is ended after the test."""
    await client.agents.CreateAgent(agent_pb2.CreateAgentRequest(agent=agent_pb2.Agent(name=AGENT)))
    program = program_of("host-1", replica, tmp_path)
    yield program
    program.clear()
    for left in AgentFolder("host-1", state_folder=tmp_path / "state").remembered().values():
        if left.mark.is_alive():
            os.killpg(left.mark.pid, signal.SIGKILL)


@pytest.fixture
def others(replica: Replica, tmp_path: Path) -> Iterator[Program]:
    """A second copy of the agent."""
    program = program_of("host-1", replica, tmp_path)
    yield program
    program.clear()


def program_of(id: str, replica: Replica, folder: Path) -> Program:
    return Program.mds(
        "agent", "run", id,
        log=folder / f"agent-{uuid.uuid4().hex}.log",
        environment={"MDS_ADDRESS": replica.address, "MDS_STATE_FOLDER": str(folder / "state")},
    )  # fmt: skip


async def declare(client: Client, id: str, program: str = STAYS) -> Declared:
    declared = Declared(
        name=f"unit_servers/{id}",
        launch=unit_server_pb2.Launch(
            agent=AGENT, command=launch(program).command, auto_start=True, keep_alive=True
        ),
    )
    return await client.unit_servers.CreateUnitServer(
        unit_server_pb2.CreateUnitServerRequest(unit_server=declared)
    )


async def runs(folder: Path, id: str, *, other_than: int = 0) -> int:
    """The process of a unit server, once there is one."""

    def pid() -> int:
        left = AgentFolder("host-1", state_folder=folder / "state").remembered().get(id)
        if left is None or left.mark.pid == other_than or not left.mark.is_alive():
            return 0
        return left.mark.pid

    return await until(pid, within=20, what=f"a process of {id}")


async def test_it_follows_what_is_declared(agent: Program, client: Client, tmp_path: Path) -> None:
    await declare(client, "A")
    agent.start()
    first = await runs(tmp_path, "A")
    declared = await declare(client, "B")
    second = await runs(tmp_path, "B")
    declared.launch.agent = ""
    await client.unit_servers.UpdateUnitServer(
        unit_server_pb2.UpdateUnitServerRequest(
            unit_server=declared, update_mask=FieldMask(paths=["launch"])
        )
    )
    await until(lambda: not is_running(second), within=20, what="the end of B")
    assert is_running(first)


async def test_a_killed_agent_leaves_its_processes_and_adopts_them_when_it_comes_back(
    agent: Program, client: Client, tmp_path: Path
) -> None:
    await declare(client, "A")
    await declare(client, "B")
    agent.start()
    first, second = await runs(tmp_path, "A"), await runs(tmp_path, "B")
    agent.kill()
    assert is_running(first)
    assert is_running(second)
    os.kill(second, signal.SIGKILL)
    agent.start()
    await runs(tmp_path, "B", other_than=second)
    assert await runs(tmp_path, "A") == first
    assert '"adopted": 1' in agent.output()
    os.kill(first, signal.SIGKILL)  # it is watched over like one's own
    await runs(tmp_path, "A", other_than=first)


async def test_an_agent_that_is_told_to_end_leaves_its_processes(
    agent: Program, client: Client, tmp_path: Path
) -> None:
    await declare(client, "A")
    agent.start()
    pid = await runs(tmp_path, "A")
    assert await agent.terminate() == 0
    assert is_running(pid)


async def test_it_starts_from_its_copy_where_no_server_answers(
    agent: Program, client: Client, replica: Replica, tmp_path: Path
) -> None:
    await declare(client, "A")
    agent.start()
    pid = await runs(tmp_path, "A")
    agent.kill()
    replica.kill()
    os.killpg(pid, signal.SIGKILL)
    agent.start()
    await runs(tmp_path, "A", other_than=pid)
    await replica.start()
    await declare(client, "B")
    await runs(tmp_path, "B")


async def test_a_second_copy_on_the_host_is_refused(
    agent: Program, client: Client, others: Program, tmp_path: Path
) -> None:
    await declare(client, "A")
    agent.start()
    await runs(tmp_path, "A")
    others.start()
    assert await others.ended() == 1
    assert f"Agent host-1 runs already on this host, as process {agent.pid}" in others.output()


async def test_an_agent_that_nobody_declared_is_told_so(replica: Replica, tmp_path: Path) -> None:
    stranger = program_of("host-9", replica, tmp_path)
    stranger.start()
    assert await stranger.ended() == 1
    assert "AGENT_NOT_FOUND" in stranger.output()


async def test_an_emptied_database_ends_no_process(
    agent: Program,
    client: Client,
    replica: Replica,
    start_replica: StartReplica,
    tmp_path: Path,
) -> None:
    await declare(client, "A")
    agent.start()
    pid = await runs(tmp_path, "A")
    agent.kill()
    replica.kill()
    empty = await start_replica(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    misled = program_of("host-1", empty, tmp_path)
    misled.start()
    try:
        await until(lambda: "AGENT_NOT_FOUND" in misled.output(), what="its word")
        assert is_running(pid)
        assert misled.is_running()
    finally:
        misled.clear()
