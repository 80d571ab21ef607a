"""Keeps requests that may change something to those that our own pages send.

No token stands in forms: browsers say themselves where a request comes from. `Sec-Fetch-Site`
cannot be forged by a page; browsers too old for it send `Origin`; who sends neither is no browser
and has no cookies that another page could ride on.
"""

from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from webui.translation import _
from webui.visit import SAFE

log = structlog.get_logger()

# `none`: the user did it, by the address bar or a bookmark.
_OWN_SITES = {"same-origin", "none"}


@web.middleware
async def keep_other_origins_out(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.method in SAFE or _is_our_own(request):
        return await handler(request)
    log.warning(
        "other_origin_refused",
        path=request.path,
        origin=request.headers.get("Origin", ""),
        site=request.headers.get("Sec-Fetch-Site", ""),
    )
    raise web.HTTPForbidden(
        text=_("This was sent by a page of another address. Nothing has been changed.") + "\n"
    )


def _is_our_own(request: web.Request) -> bool:
    if site := request.headers.get("Sec-Fetch-Site"):
        return site in _OWN_SITES
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("Host")
