"""What a request asks of the frame around a page, whatever the page is."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPMethod

from aiohttp import web
from aiohttp.typedefs import Handler

from webui.access.person import STRANGER, Person
from webui.frame.moment import PastMoment, past_moment
from webui.navigation import section_of
from webui.translation import _

THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")
SAFE = {HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS}
# How a page looks may be changed while it shows the past.
_CHANGES_NOTHING = {"/theme"}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, as the frame sees it.

    Attributes:
        section: the page of the header it belongs to; empty: none.
        here: its address, to come back to.
        theme: one of THEMES.
        past: the moment that is looked at; None: now.
        now: this page, as it is now.
        person: whom it is made for.
        asked: what was read of it; `as_of`: the page is about that moment.
    """

    section: str = ""
    here: str = "/"
    theme: str = THEMES[0]
    past: PastMoment | None = None
    now: str = "/"
    person: Person = STRANGER
    asked: set[str] = field(default_factory=set, compare=False)

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


@web.middleware
async def note_visit(request: web.Request, handler: Handler) -> web.StreamResponse:
    theme = request.cookies.get(THEME_COOKIE, "")
    visit = Visit(
        section=section_of(request.path),
        here=request.path_qs,
        theme=theme if theme in THEMES else THEMES[0],
        past=past_moment(request.query.get("as_of", "")),
        now=str(request.rel_url.without_query_params("as_of", "page", "trail")),
    )
    begin_visit(visit)
    if visit.past and request.method not in SAFE and request.path not in _CHANGES_NOTHING:
        raise web.HTTPConflict(
            text=_("This page shows the past, which nobody can change. Go back to now first.")
            + "\n"
        )
    return later(request, await handler(request))


def later(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """A page that was only looked at comes again by itself where the server is busy. What was sent
    is kept on its page instead."""
    seconds = answer.headers.get("Retry-After", "")
    if seconds and request.method == HTTPMethod.GET and answer.content_type == "text/html":
        answer.headers["refresh"] = seconds
    return answer
