"""Tells a server how an agent stands, and hears from it what others do."""

import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import Iterable, Mapping

import structlog
from mds.v1.agent_report_pb2 import (
    AnswerLogRequestRequest,
    HeldUnitServer,
    LogRequest,
    ReportAgentRequest,
    ReportAgentResponse,
)

from control_units.agent.holders import Holder
from control_units.agent.process import runs_here
from control_units.agent.process_reports import ProcessReports
from control_units.agent.supervisor import Supervisor
from control_units.agent.telling import told
from control_units.client import Backoff, Client, ClientError, Refused
from control_units.client.client import release

LONGEST_PAUSE_S = 5.0
CALL_TIMEOUT_S = 5.0
TOGETHER_S = 0.05
"""Changes of one moment are told together."""
GOOD_BYE_S = 2.0

log = structlog.get_logger(__name__)


class Reporting:
    """Reports as often as the server asks for it, and at once on a change.

    Args:
        agent: id.
    """

    def __init__(self, client: Client, agent: str) -> None:
        self._client = client
        self._agent = agent
        self._incarnation = uuid.uuid4().hex
        self._host = socket.gethostname()
        self._processes = ProcessReports()
        self._held: Mapping[str, Holder] = {}
        self._in_touch = True
        self._begun = 0
        self._done = 0
        self._reported = asyncio.Condition()
        self._wake = asyncio.Event()
        self._backoff = Backoff(first=0.5, longest=LONGEST_PAUSE_S)

    @property
    def is_in_touch(self) -> bool:
        """Whether its last report was heard."""
        return self._in_touch

    def wake(self) -> None:
        """Something has changed: it is told at once."""
        self._wake.set()

    async def introduce(self, supervisor: Supervisor) -> None:
        """The first report; that nobody answers is no reason not to begin.

        Raises:
            Refused: ALREADY_RUNNING, while an agent of this id on another host is in touch.
        """
        try:
            await self._report(supervisor)
        except ClientError as error:
            if isinstance(error, Refused) and error.reason == "ALREADY_RUNNING":
                raise
            log.warning("agent_unheard", agent=self._agent, **told(error))

    async def run(self, supervisor: Supervisor) -> None:
        """Reports until it is cancelled."""
        pause_s = TOGETHER_S
        while True:
            await self._pause(pause_s)
            try:
                pause_s = await self._report(supervisor)
            except ClientError as error:
                pause_s = self._backoff.next()
                log.warning("agent_unheard", agent=self._agent, **told(error), pause_s=pause_s)
            except Exception:  # the top of a background loop
                log.exception("agent_report_failed", agent=self._agent)
                pause_s = LONGEST_PAUSE_S

    async def holder_of(self, unit_server: str) -> Holder | None:
        """Who holds a unit server, by a report that begins from now on; None: nobody, or no
        server answers, so that only its refusal of a second process can tell."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * CALL_TIMEOUT_S), self._reported:
                wanted = self._begun + 1
                self._wake.set()
                await self._reported.wait_for(lambda: not self._in_touch or self._done >= wanted)
        holder = self._held.get(unit_server) if self._in_touch else None
        if holder is not None and holder.host == self._host and not runs_here(holder.pid):
            return None  # what is left of a process that died here
        return holder

    async def say_good_bye(self, supervisor: Supervisor) -> None:
        """The last report; tried for a moment only."""
        request = self._request(supervisor)
        request.ends = True
        try:
            await self._client.agent_reports.ReportAgent(request, timeout=GOOD_BYE_S)
        except ClientError as error:
            log.warning("agent_unheard", agent=self._agent, **told(error))

    async def _pause(self, seconds: float) -> None:
        """Until the next report is due; who is not heard anyway does not hurry."""
        if not self._in_touch:
            await asyncio.sleep(seconds)
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
                    await asyncio.sleep(TOGETHER_S)
        self._wake.clear()

    async def _report(self, supervisor: Supervisor) -> float:
        """Reports once; in how many seconds the next report is due.

        Raises:
            ClientError: it was not heard, or is refused.
        """
        self._begun += 1
        number = self._begun
        in_touch = False
        try:
            response = await self._client.agent_reports.ReportAgent(
                self._request(supervisor), timeout=CALL_TIMEOUT_S
            )
            self._held = holders_in(response)
            in_touch = True
        finally:
            async with self._reported:
                self._in_touch, self._done = in_touch, number
                self._reported.notify_all()
        self._backoff.reset()
        await self._answer(supervisor, response.log_requests)
        return response.period.ToTimedelta().total_seconds()

    def _request(self, supervisor: Supervisor) -> ReportAgentRequest:
        return ReportAgentRequest(
            agent=f"agents/{self._agent}",
            incarnation=self._incarnation,
            host=self._host,
            pid=os.getpid(),
            version=release(),
            processes=self._processes.of(supervisor.standings),
        )

    async def _answer(self, supervisor: Supervisor, requests: Iterable[LogRequest]) -> None:
        """Sends the ends of logs that somebody waits for.

        Raises:
            ClientError: it was not heard.
        """
        for asked in requests:
            lines = supervisor.last_lines(asked.unit_server.partition("/")[2], asked.lines)
            await self._client.agent_reports.AnswerLogRequest(
                AnswerLogRequestRequest(log_request=asked.log_request, lines=lines),
                timeout=CALL_TIMEOUT_S,
            )


def holders_in(response: ReportAgentResponse) -> dict[str, Holder]:
    """By id of the unit server."""
    return {each.unit_server.partition("/")[2]: holder_from(each) for each in response.held}


def holder_from(held: HeldUnitServer) -> Holder:
    return Holder(held.host, held.pid, held.agent.partition("/")[2])
