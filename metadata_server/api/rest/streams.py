"""Answers of many messages: a line of JSON each, or server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, Protocol, cast

from aiohttp import web
from aiohttp.web_response import ContentCoding
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from metadata_server.api.errors import error_tree
from metadata_server.api.rest.answers import COMMON, position_header, position_text, takes_gzip
from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.encoding import encoded, tree_of
from metadata_server.api.rest.routes import Route
from metadata_server.api.rest.selecting import Wanted, selected
from metadata_server.domain.refused import Refused

NDJSON, EVENTS = "application/x-ndjson", "text/event-stream"
FIRST_WORD_S = 1.0
"""For so long the headers wait for the first message: what is refused at once has a status."""
SLOWEST_READER_S = 60.0
"""A reader that takes nothing for so long is gone, or as good as gone."""
HEARTBEAT_S = 10.0
RETRY_MS = 1000
KEPT_BYTES = 8 * 1024 * 1024


class Answering(Protocol):
    """How an answer in many pieces begins, ends, and shows that it is still there."""

    @property
    def headers(self) -> dict[str, str]: ...

    @property
    def beginning(self) -> bytes: ...

    @property
    def heartbeat(self) -> bytes:
        """Empty: there is no such word."""

    @property
    def is_finite(self) -> bool:
        """Whether it may be compressed: what has an end need not arrive at once."""

    def end(self, refused: Refused) -> bytes | None:
        """The last word, after a refusal; None: there is none, and the connection ends."""


class StreamAnswer:
    """How messages of one route are written in one format.

    What is sent to many watchers is the same bytes object for all (`api/watch.py`), and is made
    into text once.
    """

    def __init__(self, route: Route, media_type: str, wanted: Wanted) -> None:
        self._route = route
        self._wanted = wanted
        self._class: type[Message] = GetMessageClass(route.response)
        self.media_type = media_type
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._kept_bytes = 0

    def text(self, message: Message | bytes) -> bytes:
        if not isinstance(message, bytes):
            return self._text(message)
        known = self._kept.get(message)
        if known is None:
            known = self._text(self._class.FromString(message))
            self._keep(message, known)
        return known

    def _keep(self, message: bytes, text: bytes) -> None:
        self._kept[message] = text
        self._kept_bytes += len(message) + len(text)
        while self._kept_bytes > KEPT_BYTES:
            oldest = self._kept.popitem(last=False)
            self._kept_bytes -= sum(map(len, oldest))

    def _text(self, message: Message) -> bytes:
        data = encoded(selected(tree_of(message), self._wanted))
        if self.media_type == NDJSON:
            return data + b"\n"
        return event(event_name(message), data, event_id(message))

    def end(self, refused: Refused) -> bytes:
        """The last word of a stream that was refused after it had begun."""
        data = encoded(error_tree(refused))
        return data + b"\n" if self.media_type == NDJSON else event("error", data)

    @property
    def beginning(self) -> bytes:
        return b"" if self.media_type == NDJSON else b"retry: %d\n\n" % RETRY_MS

    @property
    def heartbeat(self) -> bytes:
        return b"" if self.media_type == NDJSON else b": still here\n\n"

    @property
    def is_finite(self) -> bool:
        return False

    @property
    def headers(self) -> dict[str, str]:
        charset = "; charset=utf-8" if self.media_type == EVENTS else ""
        return COMMON | {"Content-Type": self.media_type + charset, "X-Accel-Buffering": "no"}


def event(name: str, data: bytes, id: str = "") -> bytes:
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {name}\n".encode() + b"data: " + data + b"\n\n"


def event_name(message: Any) -> str:
    """The kind of a message: what it says, where it says one of several things."""
    descriptor = message.DESCRIPTOR
    if descriptor.name == "WatchResponse":
        return "changes" if message.events else "bookmark"
    said = (message.WhichOneof(each.name) for each in descriptor.oneofs)
    return next(filter(None, said), "message")


def event_id(message: Any) -> str:
    """The position that a message leads to, for `Last-Event-ID`; empty: nobody resumes there."""
    if message.DESCRIPTOR.name != "WatchResponse":
        return ""
    return position_text(message.position)


class Streamed:
    """One answer of many messages on its way to one reader; it begins with its first word.

    Attributes:
        answer: how it is written; None: the request has not been read yet.
    """

    def __init__(self, http: web.Request, context: RestContext) -> None:
        self.answer: Answering | None = None
        self.context = context
        self.response: web.StreamResponse | None = None
        self._http = http
        self._turn = asyncio.Lock()
        self._spoke_s = time.monotonic()

    async def send(self, text: bytes) -> None:
        """
        Raises:
            ConnectionError: the reader is gone, or takes nothing.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(SLOWEST_READER_S):
                    response = self.response or await self._begin()
                    await response.write(text)
            except TimeoutError:
                self._cut()
                raise ConnectionResetError("The reader takes nothing.") from None
            self._spoke_s = time.monotonic()

    def _cut(self) -> None:
        if self._http.transport is not None:
            self._http.transport.abort()

    async def _begin(self) -> web.StreamResponse:
        assert self.answer is not None
        headers = self.answer.headers | position_header(self.context)
        self.response = web.StreamResponse(headers=headers)
        if self.answer.is_finite and takes_gzip(self._http):
            self.response.enable_compression(ContentCoding.gzip)
        await self.response.prepare(self._http)
        if self.answer.beginning:
            await self.response.write(self.answer.beginning)
        return self.response

    async def keep_alive(self) -> None:
        """Begins after a moment, and says something where nothing has been said for long."""
        pause = FIRST_WORD_S
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(pause)
                if self.answer is None:  # a long body is still coming
                    continue
                if self.response is None:
                    await self.send(b"")
                quiet = time.monotonic() - self._spoke_s
                if quiet >= HEARTBEAT_S and self.answer.heartbeat:
                    await self.send(self.answer.heartbeat)
                pause = max(FIRST_WORD_S, HEARTBEAT_S - quiet)

    async def end(self) -> web.StreamResponse:
        """
        Raises:
            Refused: it was refused before anything was sent.
        """
        refused = self.context.refused
        if refused is not None and (self.response is None or self.answer is None):
            raise refused
        assert self.answer is not None
        last = self.answer.end(refused) if refused else b""
        if last is None:
            self._cut()
            raise ConnectionResetError("A file has broken off.")
        await self.send(last)
        assert self.response is not None
        await self.response.write_eof()
        return self.response


async def send_stream(streamed: Streamed, texts: AsyncIterator[bytes]) -> web.StreamResponse:
    """Sends all texts, each at once; a refusal as status, or, once it has begun, as last word.

    Raises:
        Refused: before anything was sent.
    """
    keeping = asyncio.create_task(streamed.keep_alive())
    try:
        async with aclosing(cast("AsyncGenerator[bytes, None]", texts)) as all_texts:
            async for text in all_texts:
                await streamed.send(text)
        return await streamed.end()
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
