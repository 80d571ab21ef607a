"""The face of the protocol on the HTTP port: finds the route, calls the method, answers."""

from __future__ import annotations

from aiohttp import web

from metadata_server.api.calls import Calls
from metadata_server.api.registrar import Registrar
from metadata_server.api.rest.answers import refusal
from metadata_server.api.rest.asked import Asked
from metadata_server.api.rest.endpoints import Endpoint, StreamEndpoint
from metadata_server.api.rest.lists import ListEndpoint
from metadata_server.api.rest.routes import Found, Route, RouteTable, routes_of
from metadata_server.api.rest.templates import Path
from metadata_server.api.services import SERVED, services_of
from metadata_server.domain.refused import Refused

PREFIX = "/v1"


def served_routes() -> tuple[Route, ...]:
    """All routes of this server."""
    return routes_of(service for module in SERVED for service in services_of(module))


class Rest:
    """Answers HTTP requests below `/v1`."""

    def __init__(self, registrar: Registrar, calls: Calls) -> None:
        routes = served_routes()
        self._table = RouteTable.of(routes)
        self._endpoints = {id(route): endpoint_of(route, registrar, calls) for route in routes}

    def add_to(self, application: web.Application) -> None:
        for path in (PREFIX, PREFIX + r"/{path:[\s\S]*}"):
            application.router.add_route("*", path, self.handle)

    async def handle(self, http: web.Request) -> web.StreamResponse:
        try:
            found = self._found(raw_path_of(http))
            if http.method == "OPTIONS":
                return web.Response(status=204, headers={"Allow": allowed_at(found)})
            verb = "GET" if http.method == "HEAD" else http.method
            if verb not in found.routes:
                allowed = allowed_at(found)
                message = f"{http.method[:20]} is not for this path; right would be {allowed}."
                return refusal(Refused.invalid("VERB_NOT_ALLOWED", message), Allow=allowed)
            endpoint = self._endpoints[id(found.routes[verb])]
            return await endpoint.answer(Asked(http, found.raw_value))
        except Refused as refused:
            return refusal(refused)

    def _found(self, raw_path: str) -> Found:
        """
        Raises:
            Refused: PATH_NOT_FOUND.
        """
        path = Path.of(raw_path)
        found = self._table.find(path)
        if found is not None:
            return found
        hint = ""
        if near := self._table.like(path.collection):
            hint = f" Perhaps /v1/{near}."
        elif path.verb:
            verbs = ", ".join(self._table.verbs_of(path.collection))
            told = f" Verbs there: {verbs}." if verbs else ""
            hint = f"{told} In a path, the colon of an id is %3A."
        shown = raw_path[:200]
        message = f"There is nothing at {shown}.{hint}"
        raise Refused.not_found("PATH_NOT_FOUND", message, path=shown)


def endpoint_of(
    route: Route, registrar: Registrar, calls: Calls
) -> Endpoint | ListEndpoint | StreamEndpoint:
    handler = registrar.handler(route.full_name)
    if route.items is not None:
        return ListEndpoint(route, handler.unary_unary, calls)
    if route.is_stream:
        return StreamEndpoint(route, handler.stream_stream or handler.unary_stream, calls)
    return Endpoint(route, handler.unary_unary, calls)


def raw_path_of(http: web.Request) -> str:
    """The path as it came, without anything decoded."""
    target = http.raw_path
    if not target.startswith("/"):  # absolute form, as proxies are sent it
        target = http.rel_url.raw_path
    return target.partition("?")[0].partition("#")[0]


def allowed_at(found: Found) -> str:
    head = ["HEAD"] if "GET" in found.routes else []
    return ", ".join(sorted([*found.routes, *head, "OPTIONS"]))
