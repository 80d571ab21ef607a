"""Names of what is there, for fields that name it."""

import asyncio

from aiohttp import web
from mds.v1.agent_pb2 import ListAgentsRequest
from mds.v1.control_unit_pb2 import ListControlUnitsRequest
from mds.v1.template_pb2 import ListTemplatesRequest
from mds.v1.unit_server_pb2 import ListUnitServersRequest

from control_units.client import Client, ClientError
from webui.frame.palette import called
from webui.lists.reading import Call, Query
from webui.names import id_of
from webui.site import Site

MOST = 12
# Somebody is typing: later than this, in s, no suggestion helps.
PATIENCE_SECONDS = 1.0
COLLECTIONS = ("control_units", "unit_servers", "templates", "agents")


def routes(site: Site) -> list[web.RouteDef]:
    async def names(request: web.Request) -> web.Response:
        """`GET /names/control_units?q=mag`: options for a field."""
        q = request.query.get("q", "").strip()
        call = _calls(site.client)[request.match_info["collection"]]
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                page = await call.page(Query(filter=called(q) if q else "", size=MOST))
        except (ClientError, TimeoutError) as failure:
            return site.refused(failure, whole=False)
        ids = [id_of(each.name) for each in page.things]
        return site.fragment("datasets/names.html", {"ids": ids})

    return [web.get(f"/names/{{collection:{'|'.join(COLLECTIONS)}}}", names)]


def _calls(client: Client) -> dict[str, Call]:
    return {
        "control_units": Call(
            client.control_units.ListControlUnits, ListControlUnitsRequest, "control_units"
        ),
        "unit_servers": Call(
            client.unit_servers.ListUnitServers, ListUnitServersRequest, "unit_servers"
        ),
        "templates": Call(client.templates.ListTemplates, ListTemplatesRequest, "templates"),
        "agents": Call(client.agents.ListAgents, ListAgentsRequest, "agents"),
    }
