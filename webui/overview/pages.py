"""`GET /`: the picture that all browsers have, as it is now; of the past, one of its own."""

import asyncio

from aiohttp import web

from control_units.client import ClientError
from webui.charts.pages import charts_context
from webui.overview.groups import LABEL, TITLES, ZONE, read_groups
from webui.overview.past import read_past
from webui.site import PAST_SECONDS, Site
from webui.topology.pages import wall_context


def routes(site: Site) -> list[web.RouteDef]:
    async def overview(request: web.Request) -> web.Response:
        """`?wall`: for a screen that everybody sees and nobody touches. `?group=template`: in
        place of the zones. `?range=24h`: how far back the charts reach."""
        if site.as_of:
            return await past()
        by, wall = grouping(request), "wall" in request.query
        context: dict[str, object] = {
            "wall": wall,
            "groups": await read_groups(site.client, by) if by != ZONE else None,
            "by": by,
            "titles": [
                (key, title, str(request.rel_url.update_query(group=key)))
                for key, title in TITLES.items()
            ],
            **await charts_context(site, request),
            **(await wall_context(site) if wall else {}),
        }
        return site.page("overview/overview.html", context)

    async def past() -> web.Response:
        try:
            async with asyncio.timeout(PAST_SECONDS):
                return site.page("overview/past.html", {"past": await read_past(site)})
        except (ClientError, TimeoutError) as failure:
            return site.refused(failure, whole=True)

    async def groups(request: web.Request) -> web.Response:
        """A part of the overview: the groups that are shown in place of the zones."""
        found = await read_groups(site.client, grouping(request))
        return site.fragment("overview/groups.html", {"groups": found})

    return [web.get("/", overview), web.get("/groups", groups)]


def grouping(request: web.Request) -> str:
    """What the units are grouped by; a label may come by its bare name, out of a form."""
    label = request.query.get("label", "").strip()
    return f"{LABEL}{label}" if label else request.query.get("group", "") or ZONE
