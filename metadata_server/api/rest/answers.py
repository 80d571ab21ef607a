"""Messages and refusals as HTTP answers."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from aiohttp.web_response import ContentCoding
from google.protobuf.message import Message
from mds.v1 import configuration_pb2, position_pb2

from metadata_server.api.errors import error_tree, http_status_of
from metadata_server.api.pages import Page
from metadata_server.api.prepared import Prepared, Ready, message_of
from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.encoding import encoded, json_bytes, tree_of
from metadata_server.api.rest.parameters import FIELDS, Query, pairs_of
from metadata_server.api.rest.routes import Route
from metadata_server.api.rest.selecting import Wanted, selected, wanted_of
from metadata_server.domain.refused import RefusalKind, Refused

JSON = "application/json"
FORM = "json"
POSITION_HEADER = "Mds-Position"
WORTH_COMPRESSING_BYTES = 1024
WORTH_A_THREAD_BYTES = 200_000
COMMON = {
    "Cache-Control": "private, no-cache",
    "Server": "mds",
    "X-Content-Type-Options": "nosniff",
}
"""On each answer: whoever keeps it asks whether it is still right."""
CHALLENGE = 'Bearer realm="mds"'
VARY = "Accept, Accept-Encoding"


async def answer_of(
    route: Route,
    http: web.Request,
    query: Query,
    reply: Message | Ready,
    context: RestContext,
) -> web.Response:
    """The answer to a call that gave a message."""
    message: Any = reply.head if isinstance(reply, Ready) else reply
    headers = COMMON | {"Vary": VARY, "Content-Type": JSON} | position_header(context)
    if route.items is not None:
        if message.DESCRIPTOR.fields_by_name.get("position"):
            # As of the first page: who watches from there misses nothing.
            headers[POSITION_HEADER] = position_text(message.position)
        headers["Link"] = links(http, message.next_page_token)
    status = 200
    if (etag := etag_of(message)) is not None:
        headers["ETag"] = f'"{etag}"'
        if http.method in {"GET", "HEAD"} and is_known(http, etag):
            return web.Response(status=304, headers=headers)
    if route.is_creation and not query.tree.get("validateOnly"):
        status = 201
        headers["Location"] = f"/v1/{path_of(message.name)}"
    body = await body_of(reply, wanted_of(route, query.shared.get(FIELDS, "")))
    return compressed(http, web.Response(body=body, status=status, headers=headers))


async def body_of(reply: Message | Ready, wanted: Wanted) -> bytes:
    """A reply in JSON; of what is remembered, the same bytes for all."""
    if isinstance(reply, Prepared) and not wanted:
        return reply.form(FORM, json_line)
    if isinstance(reply, Page) and not wanted:
        return page_line(reply) if reply.are_written else await asyncio.to_thread(page_line, reply)
    message = message_of(reply)
    if message.ByteSize() > WORTH_A_THREAD_BYTES:
        return await asyncio.to_thread(json_line, message, wanted)
    return json_line(message, wanted)


def page_line(page: Page) -> bytes:
    """A page, of which what is on it is in JSON already, or is from now on."""
    texts = page.texts(json_bytes)
    head = encoded(tree_of(page.head))
    if not texts:
        return head + b"\n"
    name = page.head.DESCRIPTOR.fields_by_name[page.items_name].json_name
    rest = head[1:] if head == b"{}" else b"," + head[1:]
    return b"".join([b'{"', name.encode(), b'":[', b",".join(texts), b"]", rest, b"\n"])


def json_line(message: Message, wanted: Wanted | None = None) -> bytes:
    tree = tree_of(message)
    return encoded(selected(tree, wanted) if wanted else tree) + b"\n"


def compressed(http: web.Request, response: web.Response) -> web.Response:
    """An answer that may travel in gzip, where that is worth it."""
    if (response.content_length or 0) > WORTH_COMPRESSING_BYTES and takes_gzip(http):
        response.enable_compression(ContentCoding.gzip)
    return response


def takes_gzip(http: web.Request) -> bool:
    accepted = http.headers.get("Accept-Encoding", "").lower()
    parts = (part.partition(";") for part in accepted.replace(" ", "").split(","))
    return any(name in {"gzip", "*"} and weight != "q=0" for name, _, weight in parts)


def position_header(context: RestContext) -> dict[str, str]:
    return {POSITION_HEADER: context.position} if context.position else {}


def position_text(position: position_pb2.Position) -> str:
    return f"{position.store_id}/{position.epoch}/{position.revision}"


def etag_of(message: Any) -> str | None:
    """Of a resource its etag, of a configuration its fingerprint; None: it has none."""
    if isinstance(message, configuration_pb2.Configuration):
        return message.fingerprint or None
    has_one = "etag" in message.DESCRIPTOR.fields_by_name
    return str(message.etag) or None if has_one else None


def is_known(http: web.Request, etag: str) -> bool:
    """Whether a caller has what would be answered (`If-None-Match`)."""
    return any(each.value in {etag, "*"} for each in http.if_none_match or ())


def path_of(name: str) -> str:
    """The name of a resource as it stands in a path: an id's colon is not a verb's."""
    return quote(name, safe="/+")


def links(http: web.Request, next_page_token: str) -> str:
    """The first page, and the next one where there is one (RFC 8288)."""
    pairs = [pair for pair in pairs_of(http.rel_url.raw_query_string) if pair[0] not in TOKEN]
    found = [link(http, pairs, "first")]
    if next_page_token:
        found.append(link(http, [*pairs, ("pageToken", next_page_token)], "next"))
    return ", ".join(found)


TOKEN = frozenset({"pageToken", "page_token"})


def link(http: web.Request, pairs: list[tuple[str, str]], relation: str) -> str:
    query = urlencode(pairs, safe="/", quote_via=quote)
    return f'<{http.rel_url.raw_path}{"?" if query else ""}{query}>; rel="{relation}"'


def refusal(refused: Refused, **headers: str) -> web.Response:
    """The answer to a call that was refused."""
    found = {**COMMON, "Content-Type": JSON, **headers}
    if refused.kind is RefusalKind.UNAUTHENTICATED:
        found["WWW-Authenticate"] = CHALLENGE
    if refused.retry_after_ms is not None:
        found["Retry-After"] = str(-(-refused.retry_after_ms // 1000))
    body = encoded(error_tree(refused)) + b"\n"
    return web.Response(body=body, status=http_status_of(refused), headers=found)
