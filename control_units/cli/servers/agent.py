"""`mds agent`: launches the unit servers of a host, and tells how they are."""

import asyncio
from typing import Any

import click

from control_units.cli.connection import Connection, pass_connection, pass_who
from control_units.cli.kinds import IdOf
from control_units.cli.looking.asked import asked_of, asked_options
from control_units.cli.options import list_output


@click.group(short_help="Launch the unit servers of a host, and see how they are.")
def agent() -> None:
    """The agents of a facility: each launches the unit servers of a host. Orders to launch, end
    and launch again are given with mds unit-server."""


@agent.command()
@click.argument("agent_id", metavar="AGENT")
@click.option(
    "--on-exit",
    type=click.Choice(["keep", "stop"]),
    default="keep",
    show_default=True,
    help="What the unit servers do when the agent ends.",
)
@click.option(
    "--restarts",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Give up a unit server that ended more often within --window.",
)
@click.option(
    "--window",
    "window_s",
    type=click.FloatRange(min=1.0),
    default=600.0,
    show_default=True,
    help="Seconds over which restarts are counted.",
)
@click.option(
    "--longest-pause",
    "longest_pause_s",
    type=click.FloatRange(min=0.0),
    default=60.0,
    show_default=True,
    help="Seconds before a unit server that ended is launched again, at most.",
)
@click.option(
    "--grace",
    "grace_s",
    type=click.FloatRange(min=0.0),
    default=25.0,
    show_default=True,
    help="Seconds from SIGTERM to SIGKILL, for a unit server that is stopped.",
)
@click.option(
    "--level-pause",
    "level_interval_s",
    type=click.FloatRange(min=0.0),
    default=2.0,
    show_default=True,
    help="Seconds from the last launch of a level to the first of a higher one.",
)
@pass_who
def run(connection: Connection, /, agent_id: str, *, on_exit: str, **limits: Any) -> None:
    """Launch the unit servers that are declared for AGENT, and keep them alive.

    One agent a host is enough. Killed, it leaves its unit servers running, and takes charge of
    them again when it comes back. While no server answers it goes on with what was declared
    last, which it keeps in MDS_STATE_FOLDER.

    \b
      mds agent run btf-host-1 --on-exit stop
    """
    from control_units.agent.daemon import run_agent
    from control_units.agent.folder import AgentFolder, AgentRunsAlready
    from control_units.agent.pacing import Limits
    from control_units.client import BadAddress, Client
    from control_units.client.traces import open_traces
    from control_units.logs import set_up_logs

    set_up_logs()
    open_traces("mds-agent")
    folder = AgentFolder(agent_id)

    async def serve() -> None:
        async with Client(principal=connection.principal, program="mds agent") as client:
            await run_agent(
                agent_id,
                folder,
                client=client,
                limits=Limits(**limits),
                on_exit="stop" if on_exit == "stop" else "keep",
            )

    try:
        with folder.taken():
            asyncio.run(serve())
    except AgentRunsAlready as other:
        raise click.ClickException(str(other)) from None
    except BadAddress as error:
        raise click.UsageError(str(error)) from None


@agent.command()
@click.argument("name", metavar="[AGENT]", required=False, type=IdOf("agents"))
@asked_options("agent_status", "contact=LOST process_state=GAVE_UP")
@list_output
@pass_connection
def status(connection: Connection, name: str | None, *, output: str, **asked: str) -> None:
    """Show all agents, or what AGENT launches: which processes run, with what they use, and which
    have been given up, and why.

    \b
      mds agent status
      mds agent status --filter process_state=GAVE_UP,BACKING_OFF
      mds agent status btf-host-1 -o json

    Exit codes: 0 shown, 1 there is no such agent, 3 no server answers.
    """
    from control_units.cli.servers.agent_report import show_agents, show_processes

    if name is None:
        show_agents(connection, asked_of(asked), output)
    elif any(asked.values()):
        raise click.UsageError("Say AGENT, or --filter and --sort.")
    else:
        show_processes(connection, name, output)
