"""The HTTP port: the protocol as REST, its reference, health for balancers, figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from metadata_server.api.calls import metadata_of
from metadata_server.api.facility_figures import FacilityFigures
from metadata_server.api.gate import Gate
from metadata_server.api.health import Health
from metadata_server.api.openapi.serving import openapi_routes
from metadata_server.api.rest.answers import refusal
from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.hosts import Hosts
from metadata_server.api.rest.middleware import same_body, tell_request_id
from metadata_server.api.rest.origins import Origins
from metadata_server.domain.refused import Refused


class Face(Protocol):
    """Something that answers on this port."""

    def add_to(self, application: web.Application) -> None: ...


def http_application(
    health: Health,
    figures: FacilityFigures,
    faces: Iterable[Face],
    origins: Origins,
    gate: Gate,
    *,
    hosts: Hosts | None,
) -> web.Application:
    """The routes of the HTTP port.

    Health is for balancers, which have no token; figures are for those who read.

    Args:
        hosts: names by which it may be called; None: any.
    """

    async def metrics(request: web.Request) -> web.Response:
        try:
            await gate.admit("metrics", metadata_of(RestContext(request.headers)))
        except Refused as refused:
            return refusal(refused)
        return web.Response(
            body=await figures.text(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    application = web.Application(middlewares=[same_body(origins, hosts)])
    application.on_response_prepare.append(tell_request_id)
    if origins.are_any:
        application.on_response_prepare.append(origins.add_headers)
    application.add_routes(
        [
            *probes(health),
            web.get("/metrics", metrics),
            *openapi_routes(),
        ]
    )
    for face in faces:
        face.add_to(application)
    return application


def probes(health: Health) -> list[web.RouteDef]:
    """What supervisors and balancers ask."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def ready(request: web.Request) -> web.Response:
        # To a balancer, 404 may say "nothing new, but leave its streams" (HAProxy's
        # disable-on-404), where 503 says that it is down.
        unready = 404 if request.query.get("unready") == "404" else 503
        body = {"ready": health.is_ready, "problem": health.problem}
        return web.json_response(body, status=200 if health.is_ready else unready)

    return [web.get("/healthz/live", live), web.get("/healthz/ready", ready)]
