"""Requests of many messages: a line of JSON each, read as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from metadata_server.api.calls import calling
from metadata_server.api.rest.parameters import Query
from metadata_server.api.rest.requests import (
    add_headers,
    check_media_type,
    parsed,
    parts_of,
    too_large,
)
from metadata_server.api.rest.routes import Route
from metadata_server.domain.refused import Refused

LONGEST_LINE_BYTES = 6 * 1024 * 1024
NDJSON = ("application/x-ndjson", "application/jsonl", "application/json")


async def messages_of(route: Route, http: web.Request, query: Query) -> AsyncIterator[Message]:
    """One message for each line that is not blank; the first with what query and headers say.

    Raises:
        Refused: INVALID_JSON and INVALID_FIELD, with the line; MESSAGE_TOO_LARGE;
            UNSUPPORTED_MEDIA_TYPE.
    """
    check_media_type(http, *NDJSON)
    number, is_first = 0, True
    async for line in lines_of(http):
        number += 1
        if not line.strip():
            continue
        try:
            _, message = await parsed(line, route.request)
            if is_first:
                add_head(route, http, query, message)
            is_first = False
            yield message
        except Refused as refused:
            refused.message = f"Line {number} of the body: {refused.message}"
            raise


def add_head(route: Route, http: web.Request, query: Query, first: Any) -> None:
    """
    Raises:
        Refused: INVALID_FIELD.
    """
    head = GetMessageClass(route.head)()
    add_headers(route, http, head)
    head.MergeFrom(query.message(route))
    if head.ByteSize():
        first.header.MergeFrom(head)


async def lines_of(http: web.Request) -> AsyncIterator[bytes]:
    """
    Raises:
        Refused: MESSAGE_TOO_LARGE, INVALID_HTTP; TOO_BUSY, where too much waits for its line's end.
    """
    waiting, most = bytearray(), 0
    async for part in parts_of(http):
        start = len(waiting)
        waiting += part
        if len(waiting) > most:
            calling.get().passage.keep(len(waiting) - most)
            most = len(waiting)
        while (end := waiting.find(b"\n", start)) >= 0:
            yield bytes(waiting[:end])
            del waiting[: end + 1]
            start = 0
        if len(waiting) > LONGEST_LINE_BYTES:
            raise too_large()
    if waiting:
        yield bytes(waiting)
