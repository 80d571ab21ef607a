"""The application: which path leads where."""

from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from webui.access import tokens
from webui.access.admission import ADMISSION, Admission
from webui.access.callers import Callers
from webui.access.entrance import Entrance
from webui.access.log_in import LogIn
from webui.access.shown import shown_token
from webui.agents import launching
from webui.agents import pages as agents
from webui.assets import read_assets
from webui.charts import pages as charts
from webui.crowd import at_most
from webui.datasets import (
    bulk,
    change_set,
    creating,
    deleting,
    editing,
    history,
    naming,
    publishing,
    rebase,
    renaming,
    reverting,
    template,
    undo,
)
from webui.frame import pages as frame
from webui.frame import palette
from webui.headers import Hearer, add_headers, log_request, name_request, telling
from webui.importing import pages as importing
from webui.lists import pages as lists
from webui.live import events
from webui.live.feed import Feed
from webui.maintenances import ending
from webui.maintenances import pages as maintenances
from webui.names import without_slash
from webui.operations import operation, ordering
from webui.origins import keep_other_origins_out
from webui.overview import pages as overview
from webui.refused import draws_refusals, keeps_the_past, keeps_what_was_sent
from webui.site import Site
from webui.snapshots import pages as snapshots
from webui.snapshots import restoring, taking
from webui.topology import pages as topology
from webui.traces import tell_trace, trace_request
from webui.units import pages as units
from webui.visit import notes_visits

SUBJECTS = (
    tokens,
    frame,
    palette,
    overview,
    charts,
    topology,
    lists,
    naming,
    creating,
    editing,
    deleting,
    renaming,
    bulk,
    importing,
    change_set,
    history,
    reverting,
    rebase,
    publishing,
    template,
    undo,
    ordering,
    operation,
    launching,
    agents,
    taking,
    restoring,
    snapshots,
    ending,
    maintenances,
    units,
)
"""Modules with pages. The first that has a path answers: the page of a unit comes last, for what
stands before it says what is wanted of a unit."""


# Unless something else is said: this machine alone, past no proxy.
LOOPBACK = Entrance()
MOST_REQUESTS = 400


def application(
    site: Site,
    feed: Feed,
    entrance: Entrance = LOOPBACK,
    *,
    most_requests: int = MOST_REQUESTS,
    hearers: Sequence[Hearer] = (),
) -> web.Application:
    """
    Args:
        most_requests: that are answered at once.
        hearers: are told of each request, besides the log.

    Raises:
        NotBuilt: what the pages take from npm is not there.
    """
    # From here on nothing is asked in the name of this process but what the feed shows.
    site = replace(site, client=site.client.with_token_of_each(shown_token))
    callers = Callers(site.client)
    log_in = LogIn(site, callers, entrance)
    admission = Admission(site, callers, entrance, log_in)
    site.environment.globals.update(entrance=entrance)
    middlewares = [
        name_request,
        trace_request,
        telling(log_request, tell_trace, *hearers),
        at_most(most_requests),
        keep_other_origins_out,
        notes_visits(site.hub),
        admission.middleware(),
        draws_refusals(site),
        keeps_the_past(site),
        keeps_what_was_sent(site),
        without_slash,
    ]
    app = web.Application(middlewares=middlewares)
    app[events.HUB] = site.hub
    app[ADMISSION] = admission
    app.on_response_prepare.append(add_headers)
    app.add_routes([*log_in.routes(), *probes(feed)])
    app.router.add_get("/events", events.events, allow_head=False)
    add_assets(app, site)
    for subject in SUBJECTS:
        app.add_routes(subject.routes(site))
    return app


def add_assets(app: web.Application, site: Site) -> None:
    """What pages take along: scripts, styles, pictures."""
    assets = read_assets()
    site.environment.globals.update(asset=assets.url)
    app.router.add_get("/static/{path:.+}", assets.serve)


def probes(feed: Feed) -> list[web.RouteDef]:
    """What supervisors and load balancers ask."""

    async def live(_: web.Request) -> web.Response:
        return web.Response(text="live\n")

    async def ready(_: web.Request) -> web.Response:
        if feed.is_live:
            return web.Response(text="ready\n")
        return web.Response(text="the metadata server does not answer\n", status=503)

    return [web.get("/healthz/live", live), web.get("/healthz/ready", ready)]
