"""How many requests of browsers are answered at once."""

from http import HTTPMethod

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from webui.access.log_in import CROWDED, asks_for_a_page
from webui.figures import STREAM, method_of
from webui.headers import QUIET
from webui.translation import _

AGAIN_S = "1"
# Forms that are sent beyond the limit, and are only read and shown again, at once.
MOST_KEPT = 50


def at_most(most: int) -> Middleware:
    """Refuses what comes beyond so many at once, before anything is asked for it: answers that
    all come late help nobody. What a form sent comes back on a page. Streams of browsers have a
    limit of their own."""
    under_way = kept = 0

    @web.middleware
    async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal under_way, kept
        if request.path.startswith(QUIET) or method_of(request) == STREAM:
            return await handler(request)
        if under_way >= most:
            if not _is_form(request) or kept >= MOST_KEPT:
                return comes_again(request)
            request[CROWDED] = True
            kept += 1
            try:
                return await handler(request)
            finally:
                kept -= 1
        under_way += 1
        try:
            return await handler(request)
        finally:
            under_way -= 1

    return let_in


def comes_again(request: web.Request) -> web.Response:
    """A page by itself; a part of one has the page's script ask again."""
    headers = {"Retry-After": AGAIN_S}
    if request.method == HTTPMethod.GET and "HX-Request" not in request.headers:
        headers["Refresh"] = AGAIN_S
    return web.Response(text=f"{too_many()}\n", status=503, headers=headers)


def too_many() -> str:
    return _("Too many pages are asked for at once; MDS_WEB_REQUESTS allows more. Trying again.")


def _is_form(request: web.Request) -> bool:
    return request.method == HTTPMethod.POST and asks_for_a_page(request)
