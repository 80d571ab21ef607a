"""`GET /`: the picture that all browsers have, as it is now."""

from aiohttp import web

from webui.site import Site


def routes(site: Site) -> list[web.RouteDef]:
    async def overview(_: web.Request) -> web.Response:
        return site.page("overview/overview.html", {})

    return [web.get("/", overview)]
