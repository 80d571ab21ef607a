"""The application: which path leads where."""

from importlib.resources import files
from pathlib import Path

from aiohttp import web

from webui import events
from webui.feed import Feed
from webui.headers import add_headers, log_request
from webui.hub import Hub
from webui.pages import Pages


def application(pages: Pages, feed: Feed, hub: Hub) -> web.Application:
    async def live(_: web.Request) -> web.Response:
        return web.Response(text="live\n")

    async def ready(_: web.Request) -> web.Response:
        if feed.is_live:
            return web.Response(text="ready\n")
        return web.Response(text="the metadata server does not answer\n", status=503)

    app = web.Application(middlewares=[log_request])
    app[events.HUB] = hub
    app.on_response_prepare.append(add_headers)
    app.add_routes(
        [
            web.get("/", pages.overview),
            web.get("/events", events.events, allow_head=False),
            web.get("/unit_servers/{id:.+}", pages.unit_server),
            web.get("/control_units/{id:.+}", pages.control_unit),
            web.get("/healthz/live", live),
            web.get("/healthz/ready", ready),
            web.static("/static", Path(str(files("webui") / "static"))),
        ]
    )
    return app
