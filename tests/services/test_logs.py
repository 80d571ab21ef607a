"""The ends of logs, asked for through the database."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.life.agent_report import AgentReport, LogRequest
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.refused import Refused
from metadata_server.services.agents.agent_reports import AgentReports
from metadata_server.services.agents.logs import MOST_BYTES, Logs
from metadata_server.store.agents.agent_tables import log_request
from metadata_server.store.store import Store
from tests.services.lively import CALLER, Facility, facility
from tests.stages.waiting import until

TIMING = Timing(lease_us=20_000_000, heartbeat_us=1_000_000)
SAID = AgentReport(agent="H1", incarnation="one", host="rack1")


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.resources.create(CALLER, Agent(id="H1"), validate_only=False)
        server = UnitServer(id="PS", launch=Launch(agent="H1", command="run"))
        await found.resources.create(CALLER, server, validate_only=False)
        yield found


@pytest.fixture
def reports(lab: Facility) -> AgentReports:
    return AgentReports(lab.store, TIMING)


@pytest.fixture
def logs(lab: Facility) -> Logs:
    return Logs(lab.store, TIMING)


async def asked(reports: AgentReports) -> LogRequest:
    """What the agent is told with its next reports."""

    async def first() -> LogRequest | None:
        told = (await reports.report(SAID)).value
        return next(iter(told.log_requests), None)

    found = await until(first, what="a question")
    assert found is not None
    return found


async def left(store: Store) -> int:
    query = select(func.count()).select_from(log_request)
    answer = await store.read(lambda unit: unit.connection.execute(query).scalar_one())
    return int(answer.value)


async def test_an_agent_in_touch_answers(reports: AgentReports, logs: Logs, store: Store) -> None:
    await reports.report(SAID)
    reading = asyncio.create_task(logs.read("PS", lines=2))
    question = await asked(reports)
    assert (question.unit_server, question.line_count) == ("PS", 2)
    await logs.answer(question.id, ["one", "two"])
    found = await reading
    assert (found.agent, found.lines) == ("H1", ["one", "two"])
    assert await left(store) == 0


async def test_no_more_is_kept_than_goes(reports: AgentReports, logs: Logs) -> None:
    await reports.report(SAID)
    reading = asyncio.create_task(logs.read("PS", lines=0))
    question = await asked(reports)
    assert question.line_count == 100
    await logs.answer(question.id, ["x" * MOST_BYTES, "the last"])
    assert (await reading).lines == ["the last"]


async def test_an_agent_out_of_touch_is_not_asked(logs: Logs, store: Store) -> None:
    with pytest.raises(Refused, match="AGENT_OUT_OF_TOUCH: Agent 'H1' does not answer"):
        await logs.read("PS", lines=5)
    assert await left(store) == 0


async def test_an_agent_that_does_not_answer_is_waited_for_only_so_long(
    reports: AgentReports, lab: Facility
) -> None:
    hasty = Logs(lab.store, Timing(lease_us=20_000_000, heartbeat_us=100_000))
    await AgentReports(lab.store, TIMING).report(SAID)
    with pytest.raises(Refused, match=r"it has not answered within 0\.225 s"):
        await hasty.read("PS", lines=5)
    assert await left(lab.store) == 0


async def test_what_no_agent_launches_has_no_log(logs: Logs) -> None:
    with pytest.raises(Refused, match="NO_AGENT"):
        await logs.read("US", lines=5)


async def test_too_many_lines_are_refused(logs: Logs) -> None:
    with pytest.raises(Refused, match="lines is '1001'"):
        await logs.read("PS", lines=1001)


async def test_an_answer_that_nobody_waits_for_is_passed_over(logs: Logs, store: Store) -> None:
    await logs.answer("gone", ["one"])
    assert await left(store) == 0
