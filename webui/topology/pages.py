"""`GET /topology?open=unit_servers/…`: the whole facility as a picture."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web
from mds.v1 import agent_pb2, control_unit_pb2, overview_pb2

from control_units.client import Client, ClientError
from webui.names import id_of
from webui.site import PAST_SECONDS, READ_SECONDS, Site
from webui.topology.picture import (
    MOST_UNITS,
    SERVER_X,
    Picture,
    Wanted,
    picture_of,
)
from webui.topology.tree import Host, Status, hosts_of, units_by_server
from webui.units.hosted import hosted_statuses

PATH = "/topology"
# So many unit servers are drawn one by one; beyond that, only those of hosts that are opened.
MOST_SERVERS = 200
# On a wall nothing can be opened or scrolled.
MOST_ON_WALL = 8
WALL_WIDTH = SERVER_X + 250
AGENTS = 1000
# An address may name more; each is a call.
MOST_OPENED = 20


@dataclass(frozen=True, slots=True)
class Facility:
    """What a picture is made of."""

    hosts: tuple[Host, ...]
    servers: int
    units: int


def routes(site: Site) -> list[web.RouteDef]:
    async def topology(request: web.Request) -> web.Response:
        """The page, or its part with the picture; of the past, as it was."""
        whole = "fragment" not in request.query
        opened = frozenset(request.query.getall("open", []))
        try:
            async with asyncio.timeout(PAST_SECONDS if site.is_past else READ_SECONDS):
                picture = await drawn(site.client, opened, as_of=site.as_of)
        except (ClientError, TimeoutError) as failure:
            return site.refused(failure, whole=whole)
        context: dict[str, object] = {"picture_of_all": picture, "again": again(opened)}
        if whole:
            return site.page("topology/topology.html", context)
        return site.fragment("topology/picture.html", context)

    async def wall(_: web.Request) -> web.Response:
        """The picture on the overview's wall."""
        return site.fragment("topology/picture.html", await wall_context(site))

    return [web.get(PATH, topology), web.get(f"{PATH}/wall", wall)]


async def drawn(client: Client, opened: frozenset[str], *, as_of: str) -> Picture:
    """
    Raises:
        ClientError: what the server says, or that none answers.
    """
    facility = await read_facility(client, as_of=as_of)
    units: Mapping[str, Sequence[Status]]
    if facility.units <= MOST_UNITS:
        # Where all are shown, who opens one closes it.
        units = {
            id: found
            for id, found in (await read_all_units(client, as_of=as_of)).items()
            if f"unit_servers/{id}" not in opened
        }
    else:
        units = await read_units_of(client, opened, as_of=as_of)
    wanted = Wanted(
        units=units,
        opened=opened,
        address=address,
        all_servers=facility.servers <= MOST_SERVERS,
        most_rows=MOST_SERVERS,
    )
    return picture_of(facility.hosts, wanted)


async def wall_context(site: Site) -> dict[str, object]:
    """What `topology/picture.html` draws on a wall; None: it cannot be read."""
    picture = None
    if site.hub.picture.link == "live":
        try:
            async with asyncio.timeout(READ_SECONDS):
                facility = await read_facility(site.client)
            wanted = Wanted(
                units={},
                opened=frozenset(),
                address=address,
                all_servers=facility.servers <= MOST_ON_WALL,
                most_rows=MOST_ON_WALL,
                width=WALL_WIDTH if facility.servers <= MOST_ON_WALL else SERVER_X - 25,
            )
            picture = picture_of(facility.hosts, wanted)
        except (ClientError, TimeoutError):
            pass
    return {"picture_of_all": picture, "again": f"{PATH}/wall"}


async def read_all_units(client: Client, *, as_of: str) -> Mapping[str, Sequence[Status]]:
    """By the id of the unit server that each is declared for."""
    declared, (statuses, _more) = await asyncio.gather(
        client.control_units.ListControlUnits(
            control_unit_pb2.ListControlUnitsRequest(page_size=MOST_UNITS, as_of=as_of)
        ),
        hosted_statuses(client, "", MOST_UNITS, as_of=as_of),
    )
    servers = {each.name: id_of(each.unit_server) for each in declared.control_units}
    return units_by_server(statuses, servers)


async def read_units_of(
    client: Client, opened: frozenset[str], *, as_of: str
) -> Mapping[str, Sequence[Status]]:
    """By the id of the unit server, of those that are opened."""
    names = sorted(name for name in opened if name.startswith("unit_servers/"))
    pages = await asyncio.gather(
        *(
            hosted_statuses(client, name, MOST_UNITS + 1, as_of=as_of)
            for name in names[:MOST_OPENED]
        )
    )
    return {id_of(name): page for name, (page, _more) in zip(names, pages, strict=False)}


async def read_facility(client: Client, *, as_of: str = "") -> Facility:
    overview, agents = await asyncio.gather(
        client.overview.GetOverview(overview_pb2.GetOverviewRequest(abnormal_limit=1, as_of=as_of)),
        client.agents.ListAgents(agent_pb2.ListAgentsRequest(page_size=AGENTS, as_of=as_of)),
    )
    hosts = hosts_of(overview.unit_server_summaries, agents.agents)
    return Facility(hosts, overview.unit_servers, overview.control_units)


def address(opened: frozenset[str]) -> str:
    return f"{PATH}?{urlencode([('open', name) for name in sorted(opened)])}".rstrip("?")


def again(opened: frozenset[str]) -> str:
    """Where the picture is read again."""
    pairs = [("fragment", "picture"), *(("open", name) for name in sorted(opened))]
    return f"{PATH}?{urlencode(pairs)}"
