"""The face of the protocol on the HTTP port: finds the route, calls the method, answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from metadata_server.api.calls import Calls
from metadata_server.api.rest.accepting import best_of
from metadata_server.api.rest.answers import JSON, answer_of, refusal
from metadata_server.api.rest.bundles import messages_of
from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.parameters import FIELDS, minimum_in, query_of
from metadata_server.api.rest.registrar import Registrar
from metadata_server.api.rest.requests import request_of
from metadata_server.api.rest.routes import Found, Route, RouteTable, routes_of
from metadata_server.api.rest.selecting import wanted_of
from metadata_server.api.rest.streams import EVENTS, NDJSON, StreamAnswer, Streamed, send_stream
from metadata_server.api.rest.templates import Path
from metadata_server.api.services import SERVED, services_of
from metadata_server.domain.refused import Refused

PREFIX = "/v1"


@dataclass(frozen=True, slots=True)
class Asked:
    """One HTTP request, and where in the protocol it goes."""

    http: web.Request
    raw_value: str

    @property
    def accept(self) -> str:
        return self.http.headers.get("Accept", "")

    @property
    def raw_query(self) -> str:
        return self.http.rel_url.raw_query_string

    def context(self) -> RestContext:
        return RestContext(self.http.headers, minimum_revision=minimum_in(self.raw_query))


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
        for path in (PREFIX, PREFIX + "/{path:.*}"):
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
        if path.verb:
            verbs = ", ".join(self._table.verbs_of(path.collection))
            told = f" Verbs there: {verbs}." if verbs else ""
            hint = f"{told} In a path, the colon of an id is %3A."
        shown = raw_path[:200]
        message = f"There is nothing at {shown}.{hint}"
        raise Refused.not_found("PATH_NOT_FOUND", message, path=shown)


class Endpoint:
    """A route that is answered with one message."""

    def __init__(self, route: Route, handle: Any, calls: Calls) -> None:
        self._route = route
        self._handle = handle
        self._call = calls.unary(route.name, self._one)

    async def answer(self, asked: Asked) -> web.StreamResponse:
        context = asked.context()
        response: web.StreamResponse = await self._call(asked, context)
        context.check()
        return response

    async def _one(self, asked: Asked, context: RestContext) -> web.StreamResponse:
        query = query_of(self._route, asked.raw_query)
        wanted_of(self._route, query.shared.get(FIELDS, ""))  # wrong ones before anything is done
        best_of(asked.accept, [JSON])
        request = await request_of(self._route, asked.http, query, asked.raw_value)
        reply = await self._handle(request, context)
        return await answer_of(self._route, asked.http, query, reply, context)


class StreamEndpoint:
    """A route that is answered with many messages."""

    def __init__(self, route: Route, handle: Any, calls: Calls) -> None:
        self._route = route
        self._handle = handle
        self._call = calls.streaming(route.name, self._many)
        self._answers = {
            media_type: StreamAnswer(route, media_type, {}) for media_type in (NDJSON, EVENTS)
        }

    async def answer(self, asked: Asked) -> web.StreamResponse:
        if asked.http.method == "HEAD":
            return web.Response(headers=self._answers[best_of(asked.accept, [NDJSON])].headers)
        context = asked.context()
        streamed = Streamed(asked.http, context)
        return await send_stream(streamed, self._call((asked, streamed), context))

    async def _many(
        self, call: tuple[Asked, Streamed], context: RestContext
    ) -> AsyncGenerator[bytes, None]:
        asked, streamed = call
        query = query_of(self._route, asked.raw_query)
        answer = self._answers[best_of(asked.accept, [NDJSON, EVENTS])]
        if wanted := wanted_of(self._route, query.shared.get(FIELDS, "")):
            answer = StreamAnswer(self._route, answer.media_type, wanted)
        request: Any
        if self._route.takes_stream:
            request = messages_of(self._route, asked.http)
        else:
            request = await request_of(self._route, asked.http, query, asked.raw_value)
        streamed.answer = answer
        async with aclosing(self._handle(request, context)) as messages:
            async for message in messages:
                yield answer.text(message)


def endpoint_of(route: Route, registrar: Registrar, calls: Calls) -> Endpoint | StreamEndpoint:
    handler = registrar.handler(route)
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
