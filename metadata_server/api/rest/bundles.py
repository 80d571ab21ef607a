"""Requests of many messages: a line of JSON each, read as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web
from google.protobuf.message import Message

from metadata_server.api.rest.decoding import json_of, message_of
from metadata_server.api.rest.requests import check_media_type, too_large
from metadata_server.api.rest.routes import Route
from metadata_server.domain.refused import Refused

LONGEST_LINE_BYTES = 6 * 1024 * 1024
NDJSON = ("application/x-ndjson", "application/jsonl", "application/json")


async def messages_of(route: Route, http: web.Request) -> AsyncIterator[Message]:
    """One message for each line that is not blank.

    Raises:
        Refused: INVALID_JSON and INVALID_FIELD, with the line; MESSAGE_TOO_LARGE;
            UNSUPPORTED_MEDIA_TYPE.
    """
    check_media_type(http, *NDJSON)
    number = 0
    async for line in lines_of(http):
        number += 1
        if not line.strip():
            continue
        try:
            yield message_of(route.request, json_of(line))
        except Refused as refused:
            refused.message = f"Line {number} of the body: {refused.message}"
            raise


async def lines_of(http: web.Request) -> AsyncIterator[bytes]:
    """
    Raises:
        Refused: MESSAGE_TOO_LARGE.
    """
    waiting = bytearray()
    async for part in http.content.iter_any():
        start = len(waiting)
        waiting += part
        while (end := waiting.find(b"\n", start)) >= 0:
            yield bytes(waiting[:end])
            del waiting[: end + 1]
            start = 0
        if len(waiting) > LONGEST_LINE_BYTES:
            raise too_large()
    if waiting:
        yield bytes(waiting)
