"""The agent as a program."""

import asyncio
import signal
from contextlib import aclosing
from typing import Literal

import structlog

from control_units.agent.folder import AgentFolder
from control_units.agent.following import Following
from control_units.agent.pacing import Limits
from control_units.agent.reporting import Reporting
from control_units.agent.supervisor import Supervisor
from control_units.client import Client
from control_units.figures.agent import AgentFigures
from control_units.figures.calls import ClientFigures
from control_units.figures.serving import figures_of_process, served

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

log = structlog.get_logger(__name__)


async def run_agent(
    agent: str,
    folder: AgentFolder,
    *,
    client: Client,
    limits: Limits,
    on_exit: Literal["keep", "stop"],
) -> None:
    """Runs what is declared for an agent until SIGTERM or Ctrl-C.

    Args:
        folder: held by this process.
        on_exit: what its unit servers do then: go on until the next agent comes, or stop.

    Raises:
        Refused: at the start: AGENT_NOT_FOUND; ALREADY_RUNNING, while an agent of this id on
            another host is in touch.
    """
    told_to_end = asyncio.Event()
    for number in ENDING:
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    registry = figures_of_process("agent")
    client.caller.observer = ClientFigures(registry)
    reporting = Reporting(client, agent)
    async with Supervisor(
        folder, limits=limits, holders=reporting, on_change=reporting.wake
    ) as supervisor:
        AgentFigures(agent, supervisor, reporting, registry)
        await reporting.introduce(supervisor)
        log.info("agent_started", agent=agent, adopted=len(supervisor.standings))
        reports = asyncio.create_task(reporting.run(supervisor))
        try:
            with served(registry):
                await _follow_until(told_to_end, Following(client, agent, folder), supervisor)
                log.info("agent_ends", agent=agent, on_exit=on_exit)
                if on_exit == "stop":
                    await supervisor.stop_all()
        finally:
            reports.cancel()
            await asyncio.wait([reports])
        await reporting.say_good_bye(supervisor)


async def _follow_until(
    told_to_end: asyncio.Event, following: Following, supervisor: Supervisor
) -> None:
    """Does what is declared until it is told to end.

    Raises:
        Refused: AGENT_NOT_FOUND.
    """
    end = asyncio.create_task(told_to_end.wait())
    follow = asyncio.create_task(_follow(following, supervisor))
    try:
        await asyncio.wait({end, follow}, return_when=asyncio.FIRST_COMPLETED)
        if follow.done():
            follow.result()
    finally:
        end.cancel()
        follow.cancel()
        await asyncio.wait({end, follow})


async def _follow(following: Following, supervisor: Supervisor) -> None:
    async with aclosing(following.declared()) as all_declared:
        async for declared in all_declared:
            supervisor.declare(declared.launches)
