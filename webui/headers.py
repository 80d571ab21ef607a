"""What every answer carries, and the one log line about it."""

import asyncio
import time

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

log = structlog.get_logger()

# Everything comes from this server; no script or style stands inside a page, so text from the
# facility can never become one. What scripts set on `element.style` is theirs, not the page's.
_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
# As proxies log it: the browser did not wait for the answer.
WENT_AWAY = 499
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
    is_static = request.path.startswith("/static/")
    # Pages are never kept: an old one would look like a live one.
    response.headers.setdefault("Cache-Control", "no-cache" if is_static else "no-store")


@web.middleware
async def log_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    begin = time.monotonic()
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
        quiet = status < 400 and request.path.startswith(("/static/", "/healthz/"))
        log.log(
            10 if quiet else 20,
            "answered",
            method=request.method,
            path=request.path,
            status=status,
            ms=round((time.monotonic() - begin) * 1000),
        )
    return response
