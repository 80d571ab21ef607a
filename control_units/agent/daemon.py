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
    reporting = Reporting(client, agent)
    async with Supervisor(
        folder, limits=limits, holders=reporting, on_change=reporting.wake
    ) as supervisor:
        await reporting.introduce(supervisor)
        reports = asyncio.create_task(reporting.run(supervisor))
        try:
            await _follow_until_told(Following(client, agent, folder), supervisor, agent, on_exit)
            if on_exit == "stop":
                await supervisor.stop_all()
        finally:
            reports.cancel()
            await asyncio.wait([reports])
        await reporting.say_good_bye(supervisor)


async def _follow_until_told(
    following: Following, supervisor: Supervisor, agent: str, on_exit: str
) -> None:
    """Returns when it was told to end.

    Raises:
        Refused: AGENT_NOT_FOUND.
    """
    task = asyncio.create_task(_follow(following, supervisor))
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, task.cancel)
    log.info("agent_started", agent=agent, adopted=len(supervisor.standings))
    try:
        await task
    except asyncio.CancelledError:
        log.info("agent_ends", agent=agent, on_exit=on_exit)


async def _follow(following: Following, supervisor: Supervisor) -> None:
    async with aclosing(following.declared()) as all_declared:
        async for declared in all_declared:
            supervisor.declare(declared.launches)
