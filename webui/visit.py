"""What a request asks of the frame around a page, whatever the page is."""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from http import HTTPMethod
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from webui.access.person import STRANGER, Person
from webui.frame.moment import PastMoment, past_moment
from webui.live.hub import Hub
from webui.live.picture import Picture
from webui.navigation import section_of

THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")
SAFE = {HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS}
# Ends of addresses that only take what a form sends: nothing is shown there.
_ONLY_TAKES = re.compile(r"/(?:abort|apply|end|pause|restore|resume|retry|revert)$")
# Longer than this, an address leads back without what was typed: not all that is between here and
# a browser takes it.
LONGEST_BACK = 32_000


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, as the frame sees it.

    Attributes:
        section: the page of the header it belongs to; empty: none.
        here: the address to come back to: its own, or of the page that a form was sent from.
        is_sent: this answers what a form sent, and its own address does not show it again.
        theme: one of THEMES.
        past: the moment that is looked at; None: now.
        now: this page, as it is now.
        person: whom it is made for.
        asked: what was read of it; `as_of`: the page is about that moment.
        picture: that all browsers had when it came, before anything was read for it; None: it
            does not matter.
    """

    section: str = ""
    here: str = "/"
    is_sent: bool = False
    theme: str = THEMES[0]
    past: PastMoment | None = None
    now: str = "/"
    person: Person = STRANGER
    asked: set[str] = field(default_factory=set, compare=False)
    picture: Picture | None = field(default=None, compare=False)

    @property
    def as_of(self) -> str:
        """As calls of the server take it; empty: now."""
        return self.past.as_of if self.past else ""


# Of tasks without a request, as the one that draws what all browsers see.
_NOBODYS = Visit()
_VISIT: ContextVar[Visit] = ContextVar("visit", default=_NOBODYS)


def current_visit() -> Visit:
    return _VISIT.get()


def begin_visit(visit: Visit) -> None:
    """What is drawn from now on is drawn for this one."""
    _VISIT.set(visit)


def page_about(path: str) -> str:
    """The page that shows what an address is about which only takes what is sent."""
    return _ONLY_TAKES.sub("", path) or "/"


def come_back_to(path: str, typed: Iterable[tuple[str, str]] = ()) -> None:
    """Of an answer to what a form sent: another page leads back to it than that of its address.

    Args:
        typed: what the page fills in again.
    """
    query = urlencode(list(typed))
    address = f"{path}?{query}" if query else path
    if len(address) > LONGEST_BACK:
        address = path
    begin_visit(replace(current_visit(), here=address, now=address, is_sent=True))


def notes_visits(hub: Hub) -> Middleware:
    @web.middleware
    async def note_visit(request: web.Request, handler: Handler) -> web.StreamResponse:
        begin_visit(visit_of(request, hub.picture))
        return later(request, await handler(request))

    return note_visit


def visit_of(request: web.Request, picture: Picture) -> Visit:
    theme = request.cookies.get(THEME_COOKIE, "")
    is_sent = request.method not in SAFE
    about = page_about(request.rel_url.raw_path)
    now = str(request.rel_url.without_query_params("as_of", "page", "trail"))
    return Visit(
        section=section_of(request.path),
        here=about if is_sent else request.path_qs,
        is_sent=is_sent,
        theme=theme if theme in THEMES else THEMES[0],
        past=past_moment(request.query.get("as_of", "")),
        now=about if is_sent else now,
        picture=picture,
    )


def later(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """A page that was only looked at comes again by itself where the server is busy. What was sent
    is kept on its page instead."""
    seconds = answer.headers.get("Retry-After", "")
    if seconds and request.method == HTTPMethod.GET and answer.content_type == "text/html":
        answer.headers["refresh"] = seconds
    return answer
