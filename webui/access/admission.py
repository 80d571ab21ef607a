"""Before each request: whom it is made for. Without a good token, the log-in page comes instead."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from control_units.client import ClientError
from webui.access.callers import Callers, NotLoggedIn
from webui.access.cookie import delete_cookie, token_in
from webui.access.entrance import Entrance
from webui.access.log_in import ACCESS, CROWDED, LogIn, asks_for_a_page, typed_in
from webui.access.shown import show_token, shown_token
from webui.site import Site
from webui.translation import _
from webui.visit import SAFE, begin_visit, current_visit

log = structlog.get_logger()

# Whoever asks may have them: how one logs in, what pages look like, and whether we live.
OPEN = ("/login", "/static/", "/healthz/")
SILENCE = TimeoutError()
UNAUTHORIZED = web.HTTPUnauthorized.status_code


class Admission:
    """Knows for whom a request is made, or who has to say so first."""

    def __init__(self, site: Site, callers: Callers, entrance: Entrance, log_in: LogIn) -> None:
        self._site = site
        self._callers = callers
        self._entrance = entrance
        self._log_in = log_in

    def middleware(self) -> Middleware:
        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(OPEN):
                return await handler(request)
            show_token(token_in(self._entrance, request))
            was_known = self._callers.knows(shown_token())
            try:
                # What is asked for the sake of what is sent next is not answered from memory.
                anew = request.path == ACCESS and "now" in request.query
                person = await self._callers.who(shown_token(), anew=anew)
            except NotLoggedIn as refused:
                return await self._to_log_in(request, refused.reason, was_known=was_known)
            except ClientError as failure:
                return self._site.refused(failure, whole=asks_for_a_page(request))
            begin_visit(replace(current_visit(), person=person))
            if not person.authenticated and (closed := self._closed_to(request)):
                # Before the server has said who asks nobody, there is nothing to be closed.
                return closed() if person.name else self._site.refused(SILENCE, whole=True)
            return await self._answered(request, handler)

        return admit

    async def may_go_on(self) -> bool:
        """For what lasts longer than a request: whether it would be let in now."""
        try:
            person = await self._callers.who(shown_token())
        except NotLoggedIn:
            return False
        except ClientError:
            return True  # nobody can be logged out while nobody answers
        return person.authenticated or not self._entrance.must_ask

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if response.status != UNAUTHORIZED or response.prepared:
            return response
        # The server refused a token that was good some seconds ago.
        was_known = self._callers.knows(shown_token())
        self._callers.forget(shown_token())
        reason = _("You are no longer logged in.")
        return await self._to_log_in(request, reason, was_known=was_known)

    async def _to_log_in(
        self, request: web.Request, reason: str, *, was_known: bool
    ) -> web.StreamResponse:
        """The log-in page; a part of a page only learns that it is needed. A form that was sent
        is kept in it: of those whose token was never good here, and among too many, less."""
        had_one = bool(shown_token())
        show_token("")
        if asks_for_a_page(request):
            is_known = was_known and CROWDED not in request
            typed = None if request.method in SAFE else await typed_in(request, is_known=is_known)
            problem = reason if had_one else ""
            response = self._log_in.page(request, problem=problem, typed=typed, is_known=is_known)
        else:
            response = web.Response(text=_("You are not logged in.") + "\n", status=UNAUTHORIZED)
        if had_one:
            delete_cookie(self._entrance, request, response)
        return response

    def _closed_to(self, request: web.Request) -> Callable[[], web.Response] | None:
        """What is answered where nobody has been asked who they are; None: they may go on."""
        if self._entrance.must_ask:
            return self._closed
        if not self._entrance.is_called_by_name(request):
            return partial(self._misdirected, request)
        return None

    def _misdirected(self, request: web.Request) -> web.Response:
        host = request.headers.get("Host", "")[:100]
        log.warning("other_host_refused", host=host, path=request.path)
        text = _(
            "This page does not know itself as %s, and nobody is asked who they are: a page of "
            "another address may have called it. Call it by its address; whoever runs it may name "
            "hosts in MDS_WEB_HOSTS, or set MDS_AUTHENTICATION=token at the metadata server."
        )
        return web.Response(text=f"{text % host}\n", status=HTTPStatus.MISDIRECTED_REQUEST)

    def _closed(self) -> web.Response:
        log.error("closed", reason="others can reach this page, and the server asks nobody")
        context: dict[str, object] = {
            "title": _("This page is closed"),
            "message": _(
                "Others can reach it, and the metadata server asks nobody who they are. Whoever "
                "runs it sets MDS_AUTHENTICATION=token there, or MDS_INSECURE=1 here."
            ),
        }
        return self._log_in.closed(context)


ADMISSION = web.AppKey("admission", Admission)
