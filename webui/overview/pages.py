"""`GET /`: the picture that all browsers have, as it is now; of the past, the way to its lists."""

from aiohttp import web

from webui.charts.pages import charts_context
from webui.overview.groups import LABEL, TITLES, ZONE, read_groups
from webui.site import Site
from webui.topology.pages import wall_context


def routes(site: Site) -> list[web.RouteDef]:
    async def overview(request: web.Request) -> web.Response:
        """`?wall`: for a screen that everybody sees and nobody touches. `?group=template`: in
        place of the zones. `?range=24h`: how far back the charts reach."""
        if site.as_of:
            return site.page("overview/past.html", {})
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

    async def groups(request: web.Request) -> web.Response:
        """A part of the overview: the groups that are shown in place of the zones."""
        found = await read_groups(site.client, grouping(request))
        return site.fragment("overview/groups.html", {"groups": found})

    return [web.get("/", overview), web.get("/groups", groups)]


def grouping(request: web.Request) -> str:
    """What the units are grouped by; a label may come by its bare name, out of a form."""
    label = request.query.get("label", "").strip()
    return f"{LABEL}{label}" if label else request.query.get("group", "") or ZONE
