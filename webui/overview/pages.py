"""`GET /`: the picture that all browsers have, as it is now; of the past, the way to its lists."""

from aiohttp import web

from webui.site import Site


def routes(site: Site) -> list[web.RouteDef]:
    async def overview(request: web.Request) -> web.Response:
        """`?wall`: for a screen that everybody sees and nobody touches."""
        if site.as_of:
            return site.page("overview/past.html", {})
        return site.page("overview/overview.html", {"wall": "wall" in request.query})

    return [web.get("/", overview)]
