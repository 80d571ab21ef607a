"""`/login` and `/logout`: a token is pasted once, and kept in a cookie."""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from aiohttp import web

from control_units.client import ClientError
from control_units.client.tokens import is_sendable
from webui.access.attempts import Attempts, TooMany
from webui.access.callers import Callers, NotLoggedIn
from webui.access.cookie import delete_cookie, set_cookie, token_in
from webui.access.entrance import Entrance
from webui.access.person import Person
from webui.access.sent import Sent
from webui.frame.pages import own_address
from webui.importing.document import without_files
from webui.site import Site, explain
from webui.translation import _
from webui.visit import SAFE, current_visit

log = structlog.get_logger()

# What somebody typed is kept in the log-in page up to so many bytes; whoever had no good token is
# no user who has been working here.
MOST_TYPED = 20 * 1024 * 1024
MOST_TYPED_BY_STRANGERS = 1024 * 1024

# Tells scripts whether one is logged in; with `?now`, as the server says at this moment.
ACCESS = "/access"

Typed = Sequence[tuple[str, str]]

# There are too many requests: what was sent is only to come back.
CROWDED = web.RequestKey("crowded", bool)

# Where a handler that reads a large form itself leaves it.
POSTED = web.RequestKey("posted", Mapping[str, object])


class LogIn:
    """Handlers, and the page itself for whoever is asked on the way to another one."""

    def __init__(self, site: Site, callers: Callers, entrance: Entrance) -> None:
        self._site = site
        self._callers = callers
        self._entrance = entrance
        self._attempts = Attempts()
        # Only the page for somebody who has been working here leads back with it.
        self._much = secrets.token_urlsafe(16)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login", self.ask),
            web.post("/login", self.log_in),
            web.post("/logout", self.log_out),
            web.get(ACCESS, self.access),
        ]

    def page(
        self,
        request: web.Request,
        *,
        problem: str = "",
        typed: Typed | None = None,
        is_known: bool = False,
    ) -> web.Response:
        """In the place of the page that was asked for, which comes afterwards.

        Args:
            typed: what was sent there; None: nothing, or what cannot be kept.
            is_known: they were logged in before.
        """
        is_lost = typed is None and request.method not in SAFE
        then = "/" if is_lost else request.path_qs
        kept = "" if typed is None else json.dumps(typed)
        if is_lost:
            problem = f"{problem} {_too_large()}".strip()
        is_much = is_known and len(kept) > MOST_TYPED_BY_STRANGERS
        return self._drawn(then, problem, kept, HTTPStatus.UNAUTHORIZED, is_much=is_much)

    def closed(self, context: dict[str, object]) -> web.Response:
        text = self._site.environment.get_template("access/closed.html").render(context)
        return web.Response(
            text=text, content_type="text/html", status=HTTPStatus.SERVICE_UNAVAILABLE
        )

    async def ask(self, request: web.Request) -> web.Response:
        """`GET /login?next=…`"""
        then = own_address(request.query.get("next", "/"))
        try:
            await self._callers.who(token_in(self._entrance, request))
        except (NotLoggedIn, ClientError):
            return self._drawn(then, "", "", HTTPStatus.OK)
        raise web.HTTPSeeOther(then)

    async def log_in(self, request: web.Request) -> web.Response:
        """`POST /login`; with `?much=…`, of somebody who has been working here. Of others much is
        read only once their token is known to be good, so that it comes back behind any process."""
        sent = Sent(request)
        await sent.read(2 * MOST_TYPED_BY_STRANGERS)
        is_much = request.query.get("much") == self._much and CROWDED not in request
        if is_much:
            await sent.read(2 * MOST_TYPED)
        address = self._entrance.address_of(request)
        token = "".join(sent.fields.get("token", "").split())
        if not (token or sent.is_whole):
            return self._drawn("/", _too_large(), "", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            await asyncio.sleep(self._attempts.begin(address))
            person = await self._person(token)
        except TooMany as many:
            problem = _("There were too many attempts. Try again in %d s.") % (many.seconds + 1)
            return self._back(sent, problem, HTTPStatus.TOO_MANY_REQUESTS, is_much=is_much)
        except NotLoggedIn as refused:
            log.warning("log_in_refused", address=address)
            return self._back(sent, refused.reason, HTTPStatus.UNAUTHORIZED, is_much=is_much)
        except ClientError as failure:
            _title, message, code = explain(failure)
            return self._back(sent, message, code, is_much=is_much)
        self._attempts.succeeded(address)
        if CROWDED not in request:
            await sent.read(2 * MOST_TYPED)
        if not sent.is_whole:
            return self._drawn("/", _too_large(), "", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        log.info("logged_in", principal=person.name, token=person.token, address=address)
        response = self._after(sent.fields, person)
        keep = sent.fields.get("keep") == "on"
        set_cookie(self._entrance, request, response, token, person, keep=keep)
        return response

    async def log_out(self, request: web.Request) -> web.Response:
        """`POST /logout`: this browser forgets the token, which stays good."""
        response = see_other("/login")
        delete_cookie(self._entrance, request, response)
        return response

    async def access(self, _request: web.Request) -> web.Response:
        """`GET /access?now`: by its status, whether one is logged in, for scripts."""
        return web.Response(text=current_visit().person.role_word + "\n")

    async def _person(self, token: str) -> Person:
        if not is_sendable(token):
            raise NotLoggedIn(_("This is no token: one looks like mds_…"))
        person = await self._callers.who(token)
        if not person.name:
            raise NotLoggedIn(_("The metadata server does not answer. Try again."))
        return person

    def _after(self, sent: Mapping[str, str], person: Person) -> web.Response:
        """Where one wanted to go; what was typed is shown, and sent by whoever typed it."""
        then, fields = own_address(sent.get("next", "/")), _fields(sent.get("typed", ""))
        if fields is None:
            return see_other(then)
        context = {"fields": fields, "action": then, "person": person}
        text = self._site.environment.get_template("access/typed.html").render(context)
        return web.Response(text=text, content_type="text/html")

    def _back(
        self, sent: Sent, problem: str, status: int, *, is_much: bool = False
    ) -> web.Response:
        """The page again, with what was typed if that has come here."""
        if not sent.is_whole:
            return self._drawn("/", f"{problem} {_too_large()}", "", status)
        then = own_address(sent.fields.get("next", "/"))
        typed = sent.fields.get("typed", "")
        return self._drawn(then, problem, typed, status, is_much=is_much)

    def _drawn(
        self, then: str, problem: str, typed: str, status: int, *, is_much: bool = False
    ) -> web.Response:
        context: dict[str, object] = {
            "then": then,
            "problem": problem,
            "typed": typed,
            "much": self._much if is_much else "",
        }
        text = self._site.environment.get_template("access/login.html").render(context)
        response = web.Response(text=text, content_type="text/html", status=status)
        if status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Bearer realm="mds"'
        return response


def asks_for_a_page(request: web.Request) -> bool:
    """Whether a browser shows the answer by itself; scripts put theirs into a page."""
    if mode := request.headers.get("Sec-Fetch-Mode"):
        return mode == "navigate"
    return (
        request.path != "/events"
        and "fragment" not in request.query
        and request.headers.get("HX-Request") != "true"
    )


async def typed_in(request: web.Request, *, is_known: bool) -> Typed | None:
    """The fields of a form that was sent, a file as a text; None where they are no form, or too
    much to be kept in a page.

    Args:
        is_known: they were logged in before, and there is room.
    """
    most = MOST_TYPED if is_known else MOST_TYPED_BY_STRANGERS
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return None if request.can_read_body else []
    # What a handler has read already stays there.
    unread = request if request.content.at_eof() else request.clone(client_max_size=most)
    try:
        posted = request[POSTED] if POSTED in request else await unread.post()
    except web.HTTPRequestEntityTooLarge:
        return None
    files = [value for value in posted.values() if isinstance(value, web.FileField)]
    if files:
        kept = without_files(posted)
        for each in files:
            each.file.close()
        return list(kept.items())
    return [(name, value) for name, value in posted.items() if isinstance(value, str)]


def _too_large() -> str:
    return _("What you sent is too large to be kept here: log in, go back, and send it again.")


def see_other(address: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address})


def _fields(typed: str) -> list[tuple[str, str]] | None:
    """What our own page kept; None: nothing."""
    try:
        return [(str(name), str(value)) for name, value in json.loads(typed)]
    except (TypeError, ValueError):
        return None
