"""Lists: a page as any answer, or the whole list as a file, page after page.

All pages are as of the first one's position, so a file is too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from aiohttp import web

from metadata_server.api.calls import Calls
from metadata_server.api.prepared import message_of
from metadata_server.api.rest.accepting import best_of
from metadata_server.api.rest.answers import COMMON, JSON, VARY
from metadata_server.api.rest.asked import Asked
from metadata_server.api.rest.columns import columns_of
from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.encoding import tree_of
from metadata_server.api.rest.endpoints import Endpoint
from metadata_server.api.rest.formats import FORMATS, Format
from metadata_server.api.rest.parameters import FIELDS, FORMAT, pairs_of, query_of
from metadata_server.api.rest.requests import request_of
from metadata_server.api.rest.routes import Route
from metadata_server.api.rest.selecting import Wanted, selected, wanted_of
from metadata_server.api.rest.streams import Streamed, send_stream
from metadata_server.domain.refused import Refused, WrongField

PAGE_SIZE = 500


class ListEndpoint:
    """A route that is answered with pages, or with a file of all of them."""

    def __init__(self, route: Route, handle: Any, calls: Calls) -> None:
        assert route.items is not None
        self._route = route
        self._items = route.items
        self._handle = handle
        self._page = Endpoint(route, handle, calls)
        self._call = calls.streaming(route.name, self._texts, lambda call: call[0].size)

    async def answer(self, asked: Asked) -> web.StreamResponse:
        wanted = format_of(asked)
        if wanted is None:
            return await self._page.answer(asked)
        file = FileAnswer(self._route, wanted)
        if asked.http.method == "HEAD":
            return web.Response(headers=file.headers)
        context = asked.context()
        streamed = Streamed(asked.http, context)
        return await send_stream(streamed, self._call((asked, streamed, file), context))

    async def _texts(
        self, call: tuple[Asked, Streamed, FileAnswer], context: RestContext
    ) -> AsyncGenerator[bytes, None]:
        asked, streamed, file = call
        query = query_of(self._route, asked.raw_query)
        wanted = wanted_of(self._route, query.shared.get(FIELDS, ""))
        wanted = wanted.get(self._items.json_name, {})
        assert self._items.message_type is not None
        columns = columns_of(self._items.message_type, wanted)
        format = file.format(self._items.json_name, columns)
        request: Any = await request_of(self._route, asked.http, query, asked.raw_value)
        is_empty = True
        async for page in self._pages(request, context):
            items = getattr(page, self._items.name)
            text = await asyncio.to_thread(text_of, format, items, wanted, is_first=is_empty)
            if streamed.answer is None:
                text = format.beginning() + text
                streamed.answer = file
            is_empty = is_empty and not items
            yield text
        yield format.end(is_empty=is_empty)

    async def _pages(self, request: Any, context: RestContext) -> AsyncIterator[Any]:
        request.page_size = request.page_size or PAGE_SIZE
        while True:
            page: Any = message_of(await self._handle(request, context))
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def text_of(format: Format, items: Any, wanted: Wanted, *, is_first: bool) -> bytes:
    return format.items([selected(tree_of(each), wanted) for each in items], is_first=is_first)


def format_of(asked: Asked) -> type[Format] | None:
    """The file that is asked for; None: a page.

    Raises:
        Refused: INVALID_FIELD, NOT_ACCEPTABLE.
    """
    word = dict(pairs_of(asked.raw_query)).get(FORMAT) if FORMAT in asked.raw_query else None
    if word is not None:
        found = next((each for each in FORMATS if each.word == word), None)
        if found is None:
            expected = f"one of {', '.join(each.word for each in FORMATS)}"
            raise Refused.wrong_fields([WrongField(FORMAT, word, expected)])
        return found
    by_type = {each.media_type: each for each in FORMATS}
    best = best_of(asked.accept, [JSON, *by_type])
    return None if best == JSON else by_type[best]


class FileAnswer:
    """A file on its way. One that breaks off is ended so that its reader can tell."""

    def __init__(self, route: Route, format: type[Format]) -> None:
        self._name = f"{route.template.collection}.{format.word}"
        self.format = format

    @property
    def beginning(self) -> bytes:
        return b""

    @property
    def heartbeat(self) -> bytes:
        return b""

    @property
    def is_finite(self) -> bool:
        return True

    @property
    def headers(self) -> dict[str, str]:
        text = "; charset=utf-8" if self.format.media_type.startswith("text/") else ""
        return COMMON | {
            "Content-Type": self.format.media_type + text,
            "Content-Disposition": f'attachment; filename="{self._name}"',
            "Vary": VARY,
        }

    def end(self, refused: Refused) -> bytes | None:
        return None
