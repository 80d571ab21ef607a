"""`GET /`: the picture that all browsers have, as it is now; of the past, the way to its lists."""

from aiohttp import web

from webui.site import Site


def routes(site: Site) -> list[web.RouteDef]:
    async def overview(_: web.Request) -> web.Response:
        return site.page("overview/past.html" if site.as_of else "overview/overview.html", {})

    return [web.get("/", overview)]
