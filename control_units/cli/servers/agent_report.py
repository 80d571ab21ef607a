"""What agents say, as tables and as JSON."""

import click
from mds.v1.agent_report_pb2 import (
    AgentStatus,
    GetAgentStatusRequest,
    ListAgentStatusesRequest,
    ProcessState,
    UnitServerProcess,
)
from mds.v1.state_pb2 import Contact

from control_units.cli.connection import Connection
from control_units.cli.kinds import pages
from control_units.cli.looking.asked import Asked
from control_units.cli.output.tables import write_table
from control_units.cli.output.writing import Shape, write_all, write_one
from control_units.cli.times import shown
from control_units.client import Client
from control_units.client.words import word_of

_AGENTS = ("id", "contact", "host", "process", "since", "last word", "running", "not running")
_PROCESSES = (
    "unit server",
    "state",
    "process",
    "since",
    "restarts",
    "exit",
    "cpu",
    "memory",
    "why",
)
_UNWANTED = (ProcessState.PROCESS_STATE_IDLE, ProcessState.PROCESS_STATE_ENDED)


def show_agents(connection: Connection, asked: Asked, output: str) -> None:
    """All agents that are asked for, one a line."""
    found = connection.run(lambda client: _all(client, asked))
    write_all(found, _SHAPE, output)


def show_processes(connection: Connection, name: str, output: str) -> None:
    """What one agent launches.

    Args:
        name: `agents/{id}`.
    """
    request = GetAgentStatusRequest(agent=name)
    found = connection.run(lambda client: client.agent_reports.GetAgentStatus(request))
    if output != "table":
        write_one(found, _SHAPE, output)
        return
    contact = word_of(Contact, found.contact)
    last = f", last word {shown(found.report_time)}" if found.HasField("report_time") else ""
    where = f" on {found.host}, process {found.pid}" if found.host else ""
    click.echo(f"{name.partition('/')[2]} is {contact}{where}{last}", err=True)
    write_table(_PROCESSES, [_process_row(each) for each in found.processes], elastic=("why",))


async def _all(client: Client, asked: Asked) -> list[AgentStatus]:
    request = ListAgentStatusesRequest(**asked)
    listed = pages(client.agent_reports.ListAgentStatuses, request, "agent_statuses")
    return [each async for each in listed]


def _agent_row(status: AgentStatus) -> tuple[str, ...]:
    running = [each for each in status.processes if each.pid]
    failing = [each for each in status.processes if not each.pid and each.state not in _UNWANTED]
    return (
        status.agent.partition("/")[2],
        word_of(Contact, status.contact),
        status.host,
        str(status.pid or ""),
        shown(status.start_time),
        shown(status.report_time),
        str(len(running)),
        ", ".join(f"{each.unit_server.partition('/')[2]} {_state(each)}" for each in failing),
    )


def _process_row(process: UnitServerProcess) -> tuple[str, ...]:
    since = process.start_time if process.pid else process.state_time
    return (
        process.unit_server.partition("/")[2],
        _state(process),
        str(process.pid or ""),
        shown(since),
        str(process.restarts),
        str(process.exit_status) if process.HasField("exit_status") else "",
        f"{process.cpu_load:.0%}" if process.pid else "",
        f"{process.memory_bytes / 2**20:.0f} MiB" if process.pid else "",
        _why(process),
    )


def _why(process: UnitServerProcess) -> str:
    if not process.message:
        return ""
    wrote = f" It wrote last: {process.last_line}" if process.last_line else ""
    again = ""
    if process.HasField("next_try_time"):
        again = f", and is launched again at {shown(process.next_try_time)[11:]}"
    return f"{process.message}{again}.{wrote}".replace("..", ".")


def _state(process: UnitServerProcess) -> str:
    return word_of(ProcessState, process.state)


_SHAPE = Shape(_AGENTS, _agent_row, elastic=("not running",), name=lambda each: each.agent)
