"""Routes that can be called: with one message as answer, or with many."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from aiohttp import web

from metadata_server.api.calls import Calls
from metadata_server.api.rest.accepting import best_of
from metadata_server.api.rest.answers import JSON, answer_of
from metadata_server.api.rest.asked import Asked
from metadata_server.api.rest.bundles import messages_of
from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.parameters import FIELDS, query_of
from metadata_server.api.rest.requests import request_of
from metadata_server.api.rest.routes import Route
from metadata_server.api.rest.selecting import wanted_of
from metadata_server.api.rest.streams import EVENTS, NDJSON, StreamAnswer, Streamed, send_stream


class Endpoint:
    """A route that is answered with one message."""

    def __init__(self, route: Route, handle: Any, calls: Calls) -> None:
        self._route = route
        self._handle = handle
        self._call = calls.unary(route.name, self._one, lambda asked: asked.size)

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
        self._call = calls.streaming(route.name, self._many, self._size)
        self._answers = {
            media_type: StreamAnswer(route, media_type, {}) for media_type in (NDJSON, EVENTS)
        }

    async def answer(self, asked: Asked) -> web.StreamResponse:
        if asked.http.method == "HEAD":
            return web.Response(headers=self._answers[best_of(asked.accept, [NDJSON])].headers)
        context = asked.context()
        streamed = Streamed(asked.http, context)
        return await send_stream(streamed, self._call((asked, streamed), context))

    def _size(self, call: tuple[Asked, Streamed]) -> int:
        """Of a request that comes in parts nothing is kept before its handler does."""
        return 0 if self._route.takes_stream else call[0].size

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
            request = messages_of(self._route, asked.http, query)
        else:
            request = await request_of(self._route, asked.http, query, asked.raw_value)
        streamed.answer = answer
        async with aclosing(self._handle(request, context)) as messages:
            async for message in messages:
                yield answer.text(message)
