"""Agents as programs, seen and ordered from afar."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mds.v1.agent_report_pb2 import ReadUnitServerLogRequest, ReportAgentRequest
from mds.v1.state_pb2 import Contact
from mds.v1.unit_server_pb2 import (
    GetUnitServerStatusRequest,
    RestartUnitServerRequest,
    StartUnitServerRequest,
    StopUnitServerRequest,
    UnitServerStatus,
)

from control_units.client import Client, Refused
from tests.agent.hosts import Hosts
from tests.agent.programs import ENDS, STAYS, is_running, launch
from tests.conftest import StartReplica
from tests.stages.replica import Replica
from tests.stages.waiting import until

QUICK_LEASE = {"MDS_LEASE_S": "6", "MDS_HEARTBEAT_S": "0.5"}
REGISTERS = f"{sys.executable} {Path(__file__).with_name('unit_server_program.py')} {{unit_server}}"
RUNS = launch(STAYS).command


@pytest.fixture
async def replica(start_replica: StartReplica, sqlite_database: str) -> Replica:
    return await start_replica(sqlite_database, environment=QUICK_LEASE)


@pytest.fixture
async def hosts(replica: Replica, tmp_path: Path) -> AsyncIterator[Hosts]:
    async with Client(replica.address) as client:
        found = Hosts(replica, client, tmp_path)
        try:
            yield found
        finally:
            found.clear()


async def session(hosts: Hosts, id: str) -> UnitServerStatus:
    return await hosts.client.unit_servers.GetUnitServerStatus(
        GetUnitServerStatusRequest(name=f"unit_server_statuses/{id}")
    )


async def has_registered(hosts: Hosts, id: str, pid: int) -> None:
    async def has() -> bool:
        return (await session(hosts, id)).pid == pid

    await until(has, within=40, what=f"the session of process {pid}")


async def has_contact(hosts: Hosts, agent: str, contact: Contact.ValueType) -> None:
    async def has() -> bool:
        return (await hosts.status(agent)).contact == contact

    await until(has, within=20, what=Contact.Name(contact))


async def test_a_killed_agent_is_lost_and_is_back_with_what_it_left(hosts: Hosts) -> None:
    await hosts.agent("H1")
    await hosts.declare("A", RUNS, agent="H1")
    before = await hosts.reaches("H1", "A", "RUNNING")
    assert before.memory_bytes > 1_000_000
    program = hosts.programs["H1"]
    program.kill()
    await has_contact(hosts, "H1", Contact.CONTACT_LOST)
    assert is_running(before.pid)
    program.start()
    await has_contact(hosts, "H1", Contact.CONTACT_ALIVE)
    after = await hosts.reaches("H1", "A", "RUNNING")
    assert after.pid == before.pid
    assert abs(after.start_time.ToSeconds() - before.start_time.ToSeconds()) <= 2


async def test_it_is_heard_again_when_the_server_was_away(hosts: Hosts) -> None:
    await hosts.agent("H1")
    await hosts.declare("A", RUNS, agent="H1")
    first = await hosts.reaches("H1", "A", "RUNNING")
    hosts.replica.kill()
    os.killpg(first.pid, signal.SIGKILL)
    await until(lambda: "unit_server_ended" in hosts.programs["H1"].output(), what="its end")
    await hosts.replica.start()
    second = await hosts.reaches("H1", "A", "RUNNING", other_than=first.pid)
    assert (second.restarts, second.exit_status) == (1, -signal.SIGKILL)


async def test_one_that_says_good_bye_is_not_lost(hosts: Hosts) -> None:
    program = await hosts.agent("H1")
    await has_contact(hosts, "H1", Contact.CONTACT_ALIVE)
    assert await program.terminate() == 0
    assert (await hosts.status("H1")).contact == Contact.CONTACT_NONE


async def test_one_on_another_host_is_refused_while_the_first_is_in_touch(hosts: Hosts) -> None:
    await hosts.declare_agent("H1")
    first = ReportAgentRequest(agent="agents/H1", incarnation="i", host="elsewhere", pid=7)
    await hosts.client.agent_reports.ReportAgent(first)
    program = hosts.launch_agent("H1")
    assert await program.ended() == 1
    assert "Agent 'H1' is running already, on elsewhere (pid 7)" in program.output()


async def test_one_that_is_to_stop_all_on_exit_does(hosts: Hosts) -> None:
    program = await hosts.agent("H1", "--on-exit", "stop")
    await hosts.declare("A", RUNS, agent="H1")
    pid = (await hosts.reaches("H1", "A", "RUNNING")).pid
    assert await program.terminate() == 0
    assert not is_running(pid)
    assert not (await hosts.status("H1")).processes


async def test_what_dies_each_time_says_why_until_it_is_launched_again(hosts: Hosts) -> None:
    await hosts.agent("H1", "--restarts", "2")
    await hosts.declare("A", launch(ENDS).command, agent="H1")
    process = await hosts.reaches("H1", "A", "GAVE_UP")
    assert (process.restarts, process.exit_status, process.last_line) == (2, 3, "no hardware")
    (condition,) = (await session(hosts, "A")).conditions
    assert condition.type == "KeepsDying"
    assert condition.message == (
        "Its process ended with status 3. 2 restarts in 600 s are the most. It wrote last: "
        "no hardware"
    )
    await hosts.client.unit_servers.RestartUnitServer(
        RestartUnitServerRequest(name="unit_servers/A")
    )

    async def has_tried_again() -> bool:
        return (await hosts.process("H1", "A")).restarts == 4

    await until(has_tried_again, within=20, what="two more")


async def test_orders_are_carried_out_also_those_given_while_the_agent_was_away(
    hosts: Hosts,
) -> None:
    program = await hosts.agent("H1")
    await hosts.declare("A", RUNS, agent="H1")
    servers = hosts.client.unit_servers
    first = await hosts.reaches("H1", "A", "RUNNING")
    await servers.StopUnitServer(StopUnitServerRequest(name="unit_servers/A"))
    await hosts.reaches("H1", "A", "IDLE")
    assert not is_running(first.pid)
    program.kill()
    await servers.StartUnitServer(StartUnitServerRequest(name="unit_servers/A"))
    program.start()
    second = await hosts.reaches("H1", "A", "RUNNING")
    program.kill()
    await servers.RestartUnitServer(RestartUnitServerRequest(name="unit_servers/A"))
    program.start()
    third = await hosts.reaches("H1", "A", "RUNNING", other_than=second.pid)
    assert third.reached_restart_count == 1
    assert not is_running(second.pid)


async def test_the_end_of_a_log_is_read_from_afar(hosts: Hosts) -> None:
    program = await hosts.agent("H1")
    await hosts.declare("A", RUNS, agent="H1")
    await hosts.reaches("H1", "A", "RUNNING")
    request = ReadUnitServerLogRequest(unit_server="unit_servers/A", lines=5)

    async def lines() -> list[str]:
        return list((await hosts.client.agent_reports.ReadUnitServerLog(request)).lines)

    assert await until(lines, what="a line") == ["here"]
    assert await program.terminate() == 0
    with pytest.raises(Refused, match="AGENT_OUT_OF_TOUCH"):
        await hosts.client.agent_reports.ReadUnitServerLog(request)


async def test_one_that_moves_never_runs_twice(hosts: Hosts) -> None:
    """The new agent waits for the session of the old process to end, and is not refused once."""
    await hosts.agent("H1")
    await hosts.agent("H2")
    declared = await hosts.declare("A", REGISTERS, agent="H1")
    first = await hosts.reaches("H1", "A", "RUNNING")
    await has_registered(hosts, "A", first.pid)
    hosts.programs["H1"].kill()  # so that only the session can tell
    await hosts.move(declared, "H2")
    waiting = await hosts.reaches("H2", "A", "WAITING")
    assert f"process {first.pid} on" in waiting.message
    await has_contact(hosts, "H1", Contact.CONTACT_LOST)
    assert (await hosts.process("H2", "A")).pid == 0
    hosts.programs["H1"].start()
    second = await hosts.reaches("H2", "A", "RUNNING")
    assert not is_running(first.pid)
    assert second.restarts == 0
    await has_registered(hosts, "A", second.pid)


async def test_what_is_left_of_a_process_that_died_on_the_host_holds_up_nobody(
    hosts: Hosts,
) -> None:
    """Its session is open until its lease is over; the new process comes up meanwhile."""
    program = await hosts.agent("H1")
    await hosts.declare("A", REGISTERS, agent="H1")
    first = await hosts.reaches("H1", "A", "RUNNING")
    await has_registered(hosts, "A", first.pid)
    os.kill(first.pid, signal.SIGKILL)
    second = await hosts.reaches("H1", "A", "RUNNING", other_than=first.pid)
    await has_registered(hosts, "A", second.pid)
    assert "unit_server_held" not in program.output()


async def test_one_that_never_registers_moves_when_its_old_agent_has_ended_it(
    hosts: Hosts,
) -> None:
    await hosts.agent("H1")
    await hosts.agent("H2")
    declared = await hosts.declare("A", RUNS, agent="H1")
    first = await hosts.reaches("H1", "A", "RUNNING")
    hosts.programs["H1"].pause()  # it hears of nothing, and its lease runs on
    await hosts.move(declared, "H2")
    waiting = await hosts.reaches("H2", "A", "WAITING")
    assert f"process {first.pid}" in waiting.message
    assert "launched by agent H1" in waiting.message
    hosts.programs["H1"].resume()
    await hosts.reaches("H2", "A", "RUNNING")
    assert not is_running(first.pid)
