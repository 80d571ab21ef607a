"""HTTP requests into requests of the protocol: path, query, body and headers in one message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from metadata_server.api.messages.resource import SET_BY_SERVER
from metadata_server.api.rest.context import header_text
from metadata_server.api.rest.decoding import json_of, message_of
from metadata_server.api.rest.encoding import Json
from metadata_server.api.rest.parameters import LAST_EVENT, Query, camel, position_tree, resumes
from metadata_server.api.rest.routes import Route
from metadata_server.api.rest.templates import decoded
from metadata_server.domain.refused import Refused, WrongField

LARGEST_BODY_BYTES = 6 * 1024 * 1024
WORTH_A_THREAD_BYTES = 50_000
SLOWEST_BYTES_S = 10_000
UNPACKED = ("", "identity")
"""Encodings of bodies that are as long as they say."""
REASON, REQUEST_ID, LAST_EVENT_ID = "Mds-Reason", "Idempotency-Key", "Last-Event-ID"


async def request_of(route: Route, http: web.Request, query: Query, raw_value: str) -> Message:
    """The one message that a call is made with.

    Raises:
        Refused: INVALID_FIELD, INVALID_JSON, UNSUPPORTED_MEDIA_TYPE, MESSAGE_TOO_LARGE.
    """
    body: Json = None
    request: Message = GetMessageClass(route.request)()
    if route.body == "*":
        body, request = await read_body(http, route.request)
    elif route.body:
        body, inner = await read_body(http, route.body_message, camel(route.body))
        getattr(request, route.body).CopyFrom(inner)
    else:
        refuse_body(await bounded(http))
    if query.tree:
        request.MergeFrom(query.message(route))
    if route.template.field:
        path = route.template.field
        fill(request, path, decoded(raw_value, path), "the path")
    add_headers(route, http, request)
    if route.verb == "PATCH" and not request.update_mask.paths:  # type: ignore[attr-defined]
        add_mask(route, request, body)
    if resumes(route):
        resume(request, query.shared.get(LAST_EVENT, http.headers.get(LAST_EVENT_ID, "")))
    return request


def weight_of(http: web.Request, most: int = LARGEST_BODY_BYTES) -> int:
    """How many bytes a body may turn out to have, before any of it is read: one that is packed, or
    does not say, as many as one may.

    Raises:
        Refused: MESSAGE_TOO_LARGE.
    """
    if not http.body_exists:
        return 0
    if (http.content_length or 0) > most:
        raise too_large(most)
    encoding = http.headers.get("Content-Encoding", "").strip().lower()
    is_as_said = http.content_length is not None and encoding in UNPACKED
    return (http.content_length or 0) if is_as_said else most


async def bounded(http: web.Request, most: int = LARGEST_BODY_BYTES) -> bytes:
    """The whole body.

    Raises:
        Refused: MESSAGE_TOO_LARGE.
    """
    if not http.can_read_body:
        return b""
    parts, size = [], 0
    async for part in parts_of(http):
        size += len(part)
        if size > most:
            raise too_large(most)
        parts.append(part)
    return b"".join(parts)


async def parts_of(http: web.Request) -> AsyncIterator[bytes]:
    """What comes of a body, while it comes at a pace. Only waiting counts, not what is done with
    each part.

    Raises:
        Refused: INVALID_HTTP.
    """
    patience_s = http.protocol.keepalive_timeout
    while True:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(patience_s):
                part = await http.content.readany()
        except TimeoutError:
            break
        except (BadHttpMessage, web.RequestPayloadError):
            message = "The body is not encoded as its Content-Encoding says."
            raise Refused.invalid("INVALID_HTTP", message) from None
        if not part:
            return
        patience_s += len(part) / SLOWEST_BYTES_S - (time.monotonic() - begun)
        yield part
    raise Refused.invalid(
        "INVALID_HTTP", f"The body comes slower than {SLOWEST_BYTES_S} bytes a second."
    )


def too_large(most: int = LARGEST_BODY_BYTES) -> Refused:
    size = f"{most // 2**20} MB" if most >= 2**20 else f"{most // 2**10} kB"
    return Refused.pressure(
        "MESSAGE_TOO_LARGE",
        f"A body has at most {size} here; send it in parts, or as a bundle to /v1/bundles:apply.",
    )


async def read_body(
    http: web.Request, descriptor: Descriptor, path: str = ""
) -> tuple[Json, Message]:
    """The body as JSON and as a message; what is not there is an empty request, and no resource.

    Raises:
        Refused: INVALID_JSON, INVALID_FIELD, UNSUPPORTED_MEDIA_TYPE, MESSAGE_TOO_LARGE.
    """
    data = await bounded(http)
    if data:
        check_media_type(http, "application/json")
    elif not path:
        return {}, message_of(descriptor, {})
    return await parsed(data or b"null", descriptor, path)


async def parsed(data: bytes, descriptor: Descriptor, path: str = "") -> tuple[Json, Message]:
    """JSON, and the message that it is; in a thread, where that takes long.

    Raises:
        Refused: INVALID_JSON, INVALID_FIELD.
    """

    def parse() -> tuple[Json, Message]:
        tree = json_of(data)
        return tree, message_of(descriptor, tree, path)

    return await asyncio.to_thread(parse) if len(data) > WORTH_A_THREAD_BYTES else parse()


def check_media_type(http: web.Request, *wanted: str) -> None:
    """
    Raises:
        Refused: UNSUPPORTED_MEDIA_TYPE.
    """
    found = http.content_type.lower()
    is_json = found.endswith("+json") and "application/json" in wanted
    charset = (http.charset or "utf-8").lower().replace("_", "-")
    if (found not in wanted and not is_json) or charset not in {"utf-8", "utf8", "us-ascii"}:
        raise Refused.invalid(
            "UNSUPPORTED_MEDIA_TYPE",
            f"The body is {http.headers.get('Content-Type', found)[:100]!r}; right would be "
            f"Content-Type: {wanted[0]}, in UTF-8.",
            accepted=", ".join(wanted),
        )


def refuse_body(data: bytes) -> None:
    """
    Raises:
        Refused: INVALID_FIELD.
    """
    if data:
        raise Refused.wrong_fields([WrongField("body", f"{len(data)} bytes", "no body here")])


def fill(request: Message, path: str, value: str, where: str) -> None:
    """Sets a text field, which may stand in the body too if it says the same.

    Raises:
        Refused: INVALID_FIELD.
    """
    *outer, name = path.split(".")
    holder: Any = request
    for each in outer:
        holder = getattr(holder, each)
    field = holder.DESCRIPTOR.fields_by_name[name]
    before = str(getattr(holder, name)) if getattr(holder, name) else ""
    if before and before != value:
        expected = f"left out, or {value!r} as in {where}"
        raise Refused.wrong_fields([WrongField(path, before, expected)])
    if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        holder.MergeFrom(message_of(holder.DESCRIPTOR, {field.json_name: value}))
    else:
        setattr(holder, name, value)


def add_headers(route: Route, http: web.Request, request: Message) -> None:
    """Takes etag, request id and reason from headers, where the request has them.

    Raises:
        Refused: INVALID_FIELD.
    """
    fields = route.head.fields_by_name
    for header, name in ((REQUEST_ID, "request_id"), (REASON, "reason")):
        if (value := http.headers.get(header)) is not None and name in fields:
            fill(request, name, header_text(header, value), header)
    if "If-Match" in http.headers and not route.takes_stream and (path := etag_path(route)):
        fill(request, path, etag_of(http), "If-Match")


def etag_path(route: Route) -> str:
    """Where a request has the etag that was read; empty: nowhere."""
    if "etag" in route.request.fields_by_name:
        return "etag"
    is_update = route.verb == "PATCH" and "etag" in route.body_message.fields_by_name
    return f"{route.body}.etag" if is_update else ""


def etag_of(http: web.Request) -> str:
    """
    Raises:
        Refused: INVALID_FIELD.
    """
    found = http.if_match or ()
    if len(found) != 1 or found[0].is_weak:
        text = http.headers["If-Match"][:100]
        raise Refused.wrong_fields(
            [WrongField("If-Match", text, 'one strong etag like "1207", or *')]
        )
    return found[0].value


def add_mask(route: Route, request: Any, body: Json) -> None:
    """Without a mask a PATCH changes what its body has, save what the server alone sets."""
    resource = route.body_message
    named = {field.name for field in resource.fields if {field.name, field.json_name} & body.keys()}
    request.update_mask.paths.extend(sorted(named - SET_BY_SERVER))


def resume(request: Any, text: str) -> None:
    """Goes on after the last event that a reader has seen.

    Raises:
        Refused: INVALID_FIELD.
    """
    if text:
        tree = position_tree(LAST_EVENT_ID, text)
        request.position.CopyFrom(message_of(request.position.DESCRIPTOR, tree))
