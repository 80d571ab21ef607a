"""All unit servers of one agent."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Self

import structlog

from control_units.agent.folder import AgentFolder
from control_units.agent.holders import Holders, NobodyHolds
from control_units.agent.launching import UnitServerLaunch
from control_units.agent.pacing import Limits
from control_units.agent.standing import Standing
from control_units.agent.supervised import Means, SupervisedUnitServer
from control_units.agent.turns import LaunchTurns

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs what is declared. Made and used inside `async with`; leaving it leaves all processes
    running, for the agent that comes next to adopt.

    Args:
        folder: held by this process.
        holders: asked before each launch.
        on_change: called when a unit server stands otherwise.
    """

    def __init__(
        self,
        folder: AgentFolder,
        *,
        limits: Limits | None = None,
        holders: Holders | None = None,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._folder = folder
        self._limits = limits or Limits()
        self._means = Means(
            folder,
            self._limits,
            LaunchTurns(self._limits.launch_interval_s, self._limits.level_interval_s),
            holders or NobodyHolds(),
            on_change or nobody_listens,
        )
        self._unit_servers: dict[str, SupervisedUnitServer] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        for id, left in self._folder.remembered().items():
            unit_server = SupervisedUnitServer(id, self._means)
            if unit_server.adopt(left):
                self._unit_servers[id] = unit_server
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def standings(self) -> Mapping[str, Standing]:
        """How each unit server stands, by id."""
        return {id: each.standing for id, each in sorted(self._unit_servers.items())}

    def last_lines(self, unit_server: str, count: int) -> list[str]:
        """The end of what it wrote, of its runs before, too."""
        return self._folder.log(unit_server).last_lines(count)

    def declare(self, launches: Mapping[str, UnitServerLaunch]) -> None:
        """What this agent shall run from now on. What is new is launched, lower levels first and
        then by id, each in its turn; what is no longer there is ended."""
        for id in sorted(self._unit_servers.keys() | launches.keys(), key=in_turn(launches)):
            if id not in self._unit_servers:
                self._unit_servers[id] = SupervisedUnitServer(id, self._means)
            self._unit_servers[id].declare(launches.get(id))
            if id not in self._tasks:
                self._tasks[id] = asyncio.create_task(self._run(id), name=f"unit server {id}")

    async def stop_all(self) -> None:
        """Ends all processes; returns when they have."""
        self.declare({})
        await asyncio.gather(*self._tasks.values())

    async def _run(self, id: str) -> None:
        unit_server = self._unit_servers[id]
        while True:
            try:
                await unit_server.run()
                break
            except Exception:  # the top of a background loop
                log.exception("unit_server_supervision_failed", unit_server=id)
                await asyncio.sleep(self._limits.first_pause_s)
        # Nothing waits between its return and here: no declaration can come in between.
        del self._unit_servers[id], self._tasks[id]
        self._means.on_change()


def in_turn(launches: Mapping[str, UnitServerLaunch]) -> Callable[[str], tuple[int, str]]:
    """Sorts ids of unit servers by their level, then by themselves."""
    return lambda id: (launches[id].level if id in launches else 0, id)


def nobody_listens() -> None:
    """For an agent that reports to no server."""
