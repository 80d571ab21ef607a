"""The ends of logs that stand on the hosts of agents; one method a call."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.state import Contact
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.store.agents.agent_statuses import agent_status_of
from metadata_server.store.agents.log_requests import answer, answer_of, ask, forget
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

DEFAULT_LINES = 100
MOST_LINES = 1000
MOST_BYTES = 64 * 1024
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The end of a log.

    Attributes:
        agent: id of the one that answered.
    """

    agent: str
    lines: list[str]


class Logs:
    """Asks agents, through the database: the agent reports to whichever replica it likes."""

    def __init__(self, store: Store, timing: Timing) -> None:
        self._store = store
        self._timing = timing

    async def read(self, unit_server: str, *, lines: int) -> LogEnd:
        """The last lines of a unit server.

        Args:
            lines: at most so many; 0: 100.

        Raises:
            Refused: UNIT_SERVER_NOT_FOUND, NO_AGENT, AGENT_OUT_OF_TOUCH, INVALID_FIELD.
        """
        if not 0 <= lines <= MOST_LINES:
            expected = f"0, for {DEFAULT_LINES}, to {MOST_LINES}"
            raise Refused.wrong_fields([WrongField("lines", str(lines), expected)])

        def work(unit: UnitOfWork) -> tuple[str, str]:
            agent, agent_key, key = self._agent(unit, unit_server)
            return agent, ask(unit, agent_key, key, lines or DEFAULT_LINES)

        agent, request = (await self._store.transact(work)).value
        try:
            return LogEnd(agent, await self._answer(agent, request))
        finally:
            await self._store.transact(lambda unit: forget(unit, request))

    def _agent(self, unit: UnitOfWork, unit_server: str) -> tuple[str, int, int]:
        """Id and key of the agent that can be asked, and the key of the unit server."""
        found = unit.resources.get(UnitServer, unit_server)
        agent = agent_of(found)
        agent_key = unit.keys.key_of(Kind.AGENT, agent)
        status = agent_status_of(unit, agent_key, suspect_us=self._timing.suspect_us)
        if status.contact in {Contact.LOST, Contact.NONE}:
            raise out_of_touch(agent, f"its contact is {status.contact}")
        return agent, agent_key, found.meta.key

    async def _answer(self, agent: str, request: str) -> list[str]:
        """Looks for the answer for as long as an agent in touch may take to give it."""
        patience_s = self._timing.suspect_us / 1_000_000
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            found = (await self._store.read(lambda unit: answer_of(unit, request))).value
            if found is not None:
                return found
            await asyncio.sleep(LOOK_S)
        raise out_of_touch(agent, f"it has not answered within {patience_s:g} s")

    async def answer(self, request: str, lines: list[str]) -> Answer[None]:
        """Takes an answer down, as much of its end as is asked for at most.

        Raises:
            Refused: DATABASE_UNAVAILABLE, CONTENTION.
        """
        kept = bounded(lines)
        return await self._store.transact(lambda unit: answer(unit, request, kept))


def agent_of(unit_server: UnitServer) -> str:
    """Id of the agent that launches a unit server.

    Raises:
        Refused: NO_AGENT.
    """
    launch = unit_server.launch
    if launch is None or not launch.agent:
        raise Refused.precondition(
            "NO_AGENT",
            f"No agent launches unit server {unit_server.id!r}: name one in launch.agent.",
            unit_server=unit_server.id,
        )
    return launch.agent


def out_of_touch(agent: str, why: str) -> Refused:
    return Refused.precondition(
        "AGENT_OUT_OF_TOUCH",
        f"Agent {agent!r} does not answer: {why}. See that it runs on its host: mds agent run "
        f"{agent}.",
        agent=agent,
    )


def bounded(lines: list[str]) -> list[str]:
    """The last lines, as many as go."""
    kept: list[str] = []
    left = MOST_BYTES
    for line in reversed(lines[-MOST_LINES:]):
        left -= len(line.encode()) + 1
        if left < 0:
            break
        kept.append(line)
    return kept[::-1]
