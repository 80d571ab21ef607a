"""An agent's page: its processes, orders to them with what they would mean, and their logs."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from google.protobuf.duration_pb2 import Duration
from mds.v1 import agent_report_pb2
from mds.v1.agent_report_pb2 import (
    AnswerLogRequestRequest,
    ProcessReport,
    ReportAgentRequest,
    ReportAgentResponse,
)
from mds.v1.unit_server_pb2 import LaunchOrder

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.facility import ZONES, declare_facility
from tests.webui.forms import form_in, submit

StartReplica = Callable[..., Awaitable[Replica]]
PAGE = "/agents/host-1"
NEW = "/launches/new"


async def report(client: Client) -> ReportAgentResponse:
    """What an agent says whose second unit server has been given up."""
    running = ProcessReport(
        unit_server=f"unit_servers/{ZONES[0]}/MAGNETS",
        state=agent_report_pb2.PROCESS_STATE_RUNNING,
        pid=4711,
        age=Duration(seconds=60),
        cpu_load=0.5,
        memory_bytes=2**26,
        restarts=2,
    )
    given_up = ProcessReport(
        unit_server=f"unit_servers/{ZONES[1]}/MAGNETS",
        state=agent_report_pb2.PROCESS_STATE_GAVE_UP,
        message="It ended too often",
        last_line="<b>no such crate</b>",
        exit_status=-9,
    )
    return await client.agent_reports.ReportAgent(
        ReportAgentRequest(
            agent="agents/host-1",
            incarnation="one",
            host="crate-7",
            pid=1,
            processes=[running, given_up],
        )
    )


@pytest.fixture
async def watched(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> tuple[Site, str]:
    """A page, and the address of a server that has heard an agent."""
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_facility(client, 24)
        await report(client)
    return await open_site(replica.address), replica.address


async def test_an_agent_tells_of_each_of_its_processes(watched: tuple[Site, str]) -> None:
    site, _ = watched
    page = await site.text(PAGE)
    assert "crate-7, process 1" in page
    rows = {
        zone: re.search(rf'<tr id="process:unit_servers/{zone}/MAGNETS".*?</tr>', page, re.DOTALL)
        for zone in ZONES
    }
    told = [row[0] if row else "" for row in rows.values()]
    assert all(each in told[0] for each in ("Running", "4711", "50%", "64 MiB", ">2<"))
    assert all(each in told[1] for each in ("Given up", "signal 9", "&lt;b&gt;no such crate"))
    assert "says nothing of it" in told[2]
    assert "<html" not in await site.text(f"{PAGE}?fragment=main")
    assert "No unit server" not in await site.text(f"{PAGE}?as_of=1")
    assert 'href="/agents/host-1"' in await site.text("/agents")
    await site.text("/agents/nobody", status=404)


async def test_unit_servers_are_ordered_with_what_it_would_mean(watched: tuple[Site, str]) -> None:
    site, address = watched
    chosen = "&".join(f"unit_server={zone}/MAGNETS" for zone in ZONES[:2])
    text = await site.text(f"{NEW}?how=stop&{chosen}")
    assert "Stop: 2 unit servers" in text
    assert text.count('<td class="number">8</td>') == 2
    text = await submit(site, form_in(text, NEW), changed={"reason": "new cable"})
    assert "Ordered." in text
    assert text.count("not to run") == 2
    async with Client(address) as client:
        for zone in ZONES[:2]:
            server = await client.unit_servers.get(f"{zone}/MAGNETS")
            assert server.launch.order == LaunchOrder.LAUNCH_ORDER_STOP
    await site.text(f"{NEW}?how=stop&unit_server=NO", status=404)
    for nothing in ("", "?how=jump&unit_server=BTF/MAGNETS", "?how=stop"):
        assert "Nothing to order" in await site.text(f"{NEW}{nothing}", status=422)


async def test_the_end_of_a_log_is_what_its_agent_answers(watched: tuple[Site, str]) -> None:
    site, address = watched

    async def answer() -> None:
        async with Client(address) as client:
            while not (asked := (await report(client)).log_requests):
                await asyncio.sleep(0)
            for each in asked:
                await client.agent_reports.AnswerLogRequest(
                    AnswerLogRequestRequest(log_request=each.log_request, lines=["one", "<two>"])
                )

    answering = asyncio.create_task(answer())
    page = await site.text(f"/unit_servers/{ZONES[0]}/MAGNETS/log")
    await answering
    assert "one\n&lt;two&gt;\n" in page
