"""How many requests of browsers are answered at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPMethod, HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from webui.access.log_in import CROWDED, asks_for_a_page
from webui.arriving import Body, TooSlow
from webui.figures import STREAM, method_of
from webui.headers import QUIET
from webui.translation import _

AGAIN_S = "1"
# Forms that are sent beyond the limit, and are only read and shown again, at once.
MOST_KEPT = 50
# One place in so many may have a request of which more is still to come: whoever sends slowly, and
# perhaps is nobody's user, leaves the others to those who have sent everything.
SHARE_OF_COMING = 2
# So many are waited for, for each place, of which not even the beginning has come: that takes no
# log-in either.
COMING_FOR_EACH_PLACE = 4


class Places:
    """Of requests that are answered now.

    Attributes:
        kept: forms that got none, and are only shown again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_coming = max(1, most // SHARE_OF_COMING)
        self._most_awaited = most * COMING_FOR_EACH_PLACE
        self._taken = self._coming = self._awaited = self.kept = 0

    def may_come(self, request: web.Request) -> bool:
        return request.content.is_eof() or self._awaited < self._most_awaited

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Counts as one whose beginning is still to come."""
        self._awaited += 1
        try:
            yield
        finally:
            self._awaited -= 1

    def are_left(self, request: web.Request) -> bool:
        is_coming = not request.content.is_eof()
        return self._taken < self._most and not (is_coming and self._coming >= self._most_coming)

    @contextmanager
    def one(self, request: web.Request) -> Iterator[None]:
        """Counts as one of which more is to come until its end, also when all has come."""
        coming = int(not request.content.is_eof())
        self._taken += 1
        self._coming += coming
        try:
            yield
        finally:
            self._taken -= 1
            self._coming -= coming


def at_most(most: int) -> Middleware:
    """Refuses what comes beyond so many at once, before anything is asked for it: answers that
    all come late help nobody. What a form sent comes back on a page. Streams of browsers have a
    limit of their own, and so have bodies whose beginning is waited for: these have no place yet."""
    places = Places(most)

    @web.middleware
    async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(QUIET) or method_of(request) == STREAM:
            return await handler(request)
        if not places.may_come(request):
            return closing(comes_again(request))
        body = Body(request)
        try:
            with places.awaited():
                await body.beginning()
            async with body.rest():
                return await answered(places, request, handler)
        except TooSlow:
            return too_slow()

    return let_in


async def answered(places: Places, request: web.Request, handler: Handler) -> web.StreamResponse:
    if places.are_left(request):
        with places.one(request):
            return await handler(request)
    if not _is_form(request) or places.kept >= MOST_KEPT:
        return comes_again(request)
    request[CROWDED] = True
    places.kept += 1
    try:
        return await handler(request)
    finally:
        places.kept -= 1


def comes_again(request: web.Request) -> web.Response:
    """A page by itself; a part of one has the page's script ask again."""
    headers = {"Retry-After": AGAIN_S}
    if request.method == HTTPMethod.GET and "HX-Request" not in request.headers:
        headers["Refresh"] = AGAIN_S
    return web.Response(text=f"{too_many()}\n", status=503, headers=headers)


def too_many() -> str:
    return _("Too many pages are asked for at once; MDS_WEB_REQUESTS allows more. Trying again.")


def too_slow() -> web.Response:
    text = _("What was sent came too slowly, or not at all. Go back, and send it again.")
    return closing(web.Response(text=f"{text}\n", status=HTTPStatus.REQUEST_TIMEOUT))


def closing(response: web.Response) -> web.Response:
    """Nothing more is asked on its connection."""
    response.force_close()
    return response


def _is_form(request: web.Request) -> bool:
    return request.method == HTTPMethod.POST and asks_for_a_page(request)
