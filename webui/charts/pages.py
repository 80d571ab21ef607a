"""`GET /charts?range=24h`: the values of the charts, for the browser to draw them on."""

from http import HTTPStatus

from aiohttp import web

from webui.charts.chart import Charts
from webui.charts.reading import RANGES, range_of, read_charts
from webui.site import Site


def routes(site: Site) -> list[web.RouteDef]:
    async def charts(request: web.Request) -> web.Response:
        wanted = range_of(request.query.get("range", ""))
        found = await read_charts(site.client, wanted) if is_live(site) else None
        if found is None:
            # No failure of this page: that nobody answers, it says by itself.
            return web.Response(status=HTTPStatus.NO_CONTENT)
        response = web.json_response(as_data(found, range_s=wanted.seconds, step_s=wanted.step_s))
        response.enable_compression()
        return response

    return [web.get("/charts", charts)]


def is_live(site: Site) -> bool:
    """Whether to ask: a page comes at once, also when nobody answers what is asked for it."""
    return site.hub.picture.link == "live"


def as_data(found: Charts, *, range_s: int, step_s: int) -> dict[str, object]:
    """As `charts.js` takes it."""
    return {
        "begin": found.end - range_s,
        "step": step_s,
        "offset": found.offset,
        "times": found.times,
        "charts": {
            chart.id: [
                {"now": each.now, "values": [rounded(value) for value in each.values]}
                for each in chart.series
            ]
            for chart in found.charts
        },
    }


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


async def charts_context(site: Site, request: web.Request) -> dict[str, object]:
    """What `charts/charts.html` draws."""
    wanted = range_of(request.query.get("range", ""))
    return {
        "charts": await read_charts(site.client, wanted) if is_live(site) else None,
        "chosen": wanted,
        "ranges": [(each, str(request.rel_url.update_query(range=each.key))) for each in RANGES],
    }
