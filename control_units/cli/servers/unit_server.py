"""`mds unit-server`: orders to the agents that launch unit servers, and what those wrote."""

from functools import partial
from typing import TYPE_CHECKING

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.options import reason_option
from control_units.client.words import word_of

if TYPE_CHECKING:
    from mds.v1.agent_report_pb2 import AgentStatus, ReadUnitServerLogResponse
    from mds.v1.unit_server_pb2 import UnitServer

    from control_units.client import Client

_WORDS = {"start": "shall run", "stop": "shall not run", "restart": "is launched again"}


@click.group(name="unit-server", short_help="Launch, end and look into unit servers.")
def unit_server() -> None:
    """Unit servers that an agent launches. Orders are kept until the agent carries them out, also
    when it, or its host, is away."""


def _command(verb: str, meaning: str) -> None:
    @click.argument("names", metavar="UNIT_SERVER…", nargs=-1, required=True, type=_ID)
    @reason_option
    @pass_connection
    def order(connection: Connection, /, names: tuple[str, ...], reason: str) -> None:
        for name in names:
            give = partial(_give, verb=verb, name=name, reason=reason)
            server, agent = connection.run(give)
            click.echo(_told(verb, server, agent))

    order.__doc__ = f"""{meaning}

    \b
      mds unit-server {verb} SIMPS_0 --reason "new cable"

    Exit codes: 0 ordered, 1 refused, 3 no server answers.
    """
    short = meaning.partition(",")[0].partition(".")[0]
    unit_server.command(verb, short_help=f"{short}.")(order)


_ID = IdOf("unit_servers")
_command("start", "Have unit servers running, now and whenever their host boots.")
_command("stop", "End unit servers, and do not launch them until that is ordered again.")
_command("restart", "End unit servers and launch them again, also those that were given up.")


@unit_server.command()
@click.argument("name", metavar="UNIT_SERVER", type=_ID)
@click.option(
    "-n", "--lines", type=click.IntRange(1, 1000), default=100, show_default=True,
    help="At most so many lines.",
)  # fmt: skip
@pass_connection
def log(connection: Connection, name: str, *, lines: int) -> None:
    """Show the end of what UNIT_SERVER wrote to its outputs; its agent is asked for it, which may
    take some seconds.

    \b
      mds unit-server log SIMPS_0 -n 50

    Exit codes: 0 shown, 1 no agent can be asked, 3 no server answers.
    """
    found = connection.run(lambda client: _read(client, name, lines))
    for line in found.lines:
        click.echo(line)


async def _give(
    client: "Client", verb: str, name: str, reason: str
) -> "tuple[UnitServer, AgentStatus]":
    from mds.v1 import unit_server_pb2
    from mds.v1.agent_report_pb2 import GetAgentStatusRequest

    method = f"{verb.capitalize()}UnitServer"
    request = getattr(unit_server_pb2, f"{method}Request")(name=name, reason=reason)
    server: UnitServer = await getattr(client.unit_servers, method)(request)
    agent = GetAgentStatusRequest(agent=server.launch.agent)
    return server, await client.agent_reports.GetAgentStatus(agent)


def _told(verb: str, server: "UnitServer", agent: "AgentStatus") -> str:
    from mds.v1.state_pb2 import Contact

    agent_id = agent.agent.partition("/")[2]
    told = f"{server.name.partition('/')[2]} {_WORDS[verb]}, by agent {agent_id}"
    if agent.contact == Contact.CONTACT_ALIVE:
        return f"{told}. See: mds agent status {agent_id}"
    contact = word_of(Contact, agent.contact)
    return f"{told}, as soon as that one is in touch: its contact is {contact}."


async def _read(client: "Client", name: str, lines: int) -> "ReadUnitServerLogResponse":
    from mds.v1.agent_report_pb2 import ReadUnitServerLogRequest

    request = ReadUnitServerLogRequest(unit_server=name, lines=lines)
    return await client.agent_reports.ReadUnitServerLog(request)
