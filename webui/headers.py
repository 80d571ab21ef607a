"""What every answer carries, and the one log line about it."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from control_units.client import within_request

log = structlog.get_logger()

# Everything comes from this server; no script or style stands inside a page, so text from the
# facility can never become one. What scripts set on `element.style` is theirs, not the page's.
_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
QUIET = ("/static/", "/healthz/")
"""Beginnings of paths of which nobody need hear each time."""
# As proxies log it: the browser did not wait for the answer.
WENT_AWAY = 499
REQUEST_ID = "X-Request-Id"
_ID = web.RequestKey("request_id", str)
_SENDABLE = re.compile(r"[!-~]{1,64}")
_HEADERS = {
    "Server": "mds-web",
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: before the head of any answer is sent, refusals included."""
    response.headers.update(_HEADERS)
    if _ID in request:
        response.headers[REQUEST_ID] = request[_ID]
    is_static = request.path.startswith("/static/")
    # Pages are never kept: an old one would look like a live one.
    response.headers.setdefault("Cache-Control", "no-cache" if is_static else "no-store")


@web.middleware
async def name_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lines about it, here and at the metadata server, have one id: what stands before the page
    may have given it one."""
    said = request.headers.get(REQUEST_ID, "")
    request_id = said if _SENDABLE.fullmatch(said) else uuid.uuid4().hex
    request[_ID] = request_id
    with within_request(request_id), structlog.contextvars.bound_contextvars(request_id=request_id):
        return await handler(request)


Hearer = Callable[[web.Request, int, float], None]
"""Is told of a request that has ended: its status, and how long it took, s."""


def telling(*hearers: Hearer) -> Middleware:
    """Tells how each request ended."""

    @web.middleware
    async def tell(request: web.Request, handler: Handler) -> web.StreamResponse:
        begin = time.perf_counter()
        status = 500  # what aiohttp answers when a handler fails
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as refusal:
            status = refusal.status
            raise
        except asyncio.CancelledError:
            status = WENT_AWAY
            raise
        finally:
            for hear in hearers:
                hear(request, status, time.perf_counter() - begin)
        return response

    return tell


def log_request(request: web.Request, status: int, seconds: float) -> None:
    """The one log line about a request."""
    quiet = status < 400 and request.path.startswith(QUIET)
    log.log(
        logging.DEBUG if quiet else logging.INFO,
        "answered",
        method=request.method,
        path=request.path,
        status=status,
        ms=round(seconds * 1000),
    )
