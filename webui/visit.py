"""What a request asks of the frame around a page, whatever the page is."""

from contextvars import ContextVar
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from webui.navigation import section_of


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, as the frame sees it.

    Attributes:
        section: the page of the header it belongs to; empty: none.
    """

    section: str = ""


# Of tasks without a request, as the one that draws what all browsers see.
_NOBODYS = Visit()
_VISIT: ContextVar[Visit] = ContextVar("visit", default=_NOBODYS)


def current_visit() -> Visit:
    return _VISIT.get()


@web.middleware
async def note_visit(request: web.Request, handler: Handler) -> web.StreamResponse:
    _VISIT.set(Visit(section=section_of(request.path)))
    return await handler(request)
