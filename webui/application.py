"""The application: which path leads where."""

from aiohttp import web
from aiohttp.typedefs import Handler

from webui.assets import read_assets
from webui.datasets import (
    bulk,
    change_set,
    editing,
    history,
    rebase,
    reverting,
    template,
    undo,
)
from webui.frame import pages as frame
from webui.frame import palette
from webui.headers import add_headers, log_request
from webui.lists import pages as lists
from webui.live import events
from webui.live.feed import Feed
from webui.operations import ordering
from webui.origins import keep_other_origins_out
from webui.overview import pages as overview
from webui.site import Site
from webui.units import pages as units
from webui.visit import note_visit


def application(site: Site, feed: Feed) -> web.Application:
    """
    Raises:
        NotBuilt: what the pages take from npm is not there.
    """
    assets = read_assets()
    site.environment.globals["asset"] = assets.url

    async def live(_: web.Request) -> web.Response:
        return web.Response(text="live\n")

    async def ready(_: web.Request) -> web.Response:
        if feed.is_live:
            return web.Response(text="ready\n")
        return web.Response(text="the metadata server does not answer\n", status=503)

    @web.middleware
    async def show_missing(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return site.missing()

    app = web.Application(
        middlewares=[log_request, keep_other_origins_out, note_visit, show_missing]
    )
    app[events.HUB] = site.hub
    app.on_response_prepare.append(add_headers)
    app.add_routes(
        [
            *frame.routes(site),
            *palette.routes(site),
            *overview.routes(site),
            *lists.routes(site),
            *editing.routes(site),
            *bulk.routes(site),
            *change_set.routes(site),
            *history.routes(site),
            *reverting.routes(site),
            *rebase.routes(site),
            *template.routes(site),
            *undo.routes(site),
            *ordering.routes(site),
            *units.routes(site),
            web.get("/events", events.events, allow_head=False),
            web.get("/healthz/live", live),
            web.get("/healthz/ready", ready),
            web.get("/static/{path:.+}", assets.serve),
        ]
    )
    return app
