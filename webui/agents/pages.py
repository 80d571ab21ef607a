"""The page of an agent, and the end of what a unit server wrote."""

import asyncio
from datetime import UTC, datetime

from aiohttp import web
from mds.v1.agent_pb2 import GetAgentRequest
from mds.v1.agent_report_pb2 import AgentStatus, GetAgentStatusRequest, ReadUnitServerLogRequest
from mds.v1.unit_server_pb2 import (
    ListUnitServersRequest,
    ListUnitServerStatusesRequest,
    UnitServer,
    UnitServerStatus,
)

from control_units.client import Client, ClientError
from webui.agents.launching import LAUNCHES
from webui.agents.shown import agent_page
from webui.lists.reading import LARGEST_PAGE, Call, Query
from webui.names import page_of
from webui.site import READ_SECONDS, Site

# An agent answers with its next report.
LOG_SECONDS = 15.0
LINES = (100, 300, 1000)


def routes(site: Site) -> list[web.RouteDef]:
    pages = AgentPages(site)
    return [
        web.get("/agents/{id:.+}", pages.agent),
        web.get("/unit_servers/{id:.+}/log", pages.log),
    ]


class AgentPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def agent(self, request: web.Request) -> web.Response:
        """`GET /agents/{id}`, or its fragment `main`."""
        whole = request.query.get("fragment") != "main"
        try:
            async with asyncio.timeout(READ_SECONDS):
                context = await self._agent(f"agents/{request.match_info['id']}")
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=whole)
        if not whole:
            return self._site.fragment("agents/agent_main.html", context)
        launched = LAUNCHES.get(request.query.get("launched", ""))
        return self._site.page("agents/agent.html", context | {"launched": launched})

    async def log(self, request: web.Request) -> web.Response:
        """`GET /unit_servers/{id}/log?lines=100`."""
        id = request.match_info["id"]
        asked = request.query.get("lines", "")
        lines = int(asked) if asked in map(str, LINES) else LINES[0]
        try:
            async with asyncio.timeout(LOG_SECONDS):
                reply = await self._client.agent_reports.ReadUnitServerLog(
                    ReadUnitServerLogRequest(unit_server=f"unit_servers/{id}", lines=lines),
                    timeout=LOG_SECONDS,
                )
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        context: dict[str, object] = {
            "id": id,
            "page": page_of(f"unit_servers/{id}"),
            "agent": reply.agent,
            "agent_page": page_of(reply.agent),
            "log": reply.lines,
            "lines": lines,
            "choices": LINES,
        }
        return self._site.page("agents/log.html", context)

    async def _agent(self, name: str) -> dict[str, object]:
        as_of = self._site.as_of
        agents = self._client.agents
        declared, status, servers = await asyncio.gather(
            agents.GetAgent(GetAgentRequest(name=name, as_of=as_of)),
            self._status(name),
            servers_of(self._client, name, as_of=as_of),
        )
        page = agent_page(declared, status, servers, datetime.now(UTC))
        return {"agent": page, "launches": LAUNCHES}

    async def _status(self, name: str) -> AgentStatus:
        # What agents say is not kept: of the past it is not known.
        if self._site.as_of:
            return AgentStatus()
        return await self._client.agent_reports.GetAgentStatus(GetAgentStatusRequest(agent=name))


async def servers_of(
    client: Client, agent: str, *, as_of: str = ""
) -> list[tuple[UnitServer, UnitServerStatus]]:
    """The unit servers that are declared for an agent, by id, with their last sessions.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    servers = client.unit_servers
    query = Query(size=LARGEST_PAGE, as_of=as_of)
    listed = Call(servers.ListUnitServers, ListUnitServersRequest, "unit_servers")
    page = await listed.page(query, agent=agent)
    statuses = Call(
        servers.ListUnitServerStatuses, ListUnitServerStatusesRequest, "unit_server_statuses"
    )
    known = await statuses.of([each.name for each in page.things], "unit_server", as_of=as_of)
    never = UnitServerStatus()
    return [(each, known.get(each.name, never)) for each in page.things]
