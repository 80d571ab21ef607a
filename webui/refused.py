"""What cannot be answered is said on a page of ours, with a way out; scripts get a line."""

from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from webui.access.admission import OPEN
from webui.access.log_in import CROWDED, asks_for_a_page, typed_in
from webui.crowd import AGAIN_S, too_many
from webui.datasets.again import Said, kept
from webui.site import Site
from webui.translation import _
from webui.visit import SAFE, come_back_to, current_visit, page_about

log = structlog.get_logger()

# How a page looks, and who looks at it, may be changed while it shows the past.
_CHANGES_NOTHING = {"/theme", "/logout"}
LINE = "text/plain"


def keeps_the_past(site: Site) -> Middleware:
    """Takes nothing that is sent from a page of the past."""

    @web.middleware
    async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
        changes_nothing = request.path in _CHANGES_NOTHING or request.path.startswith(OPEN)
        if request.method not in SAFE and not changes_nothing and current_visit().past:
            raise site.unchangeable()
        return await handler(request)

    return keep


def keeps_what_was_sent(site: Site) -> Middleware:
    """Has a form come back with what was sent where there are too many requests."""

    @web.middleware
    async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
        costs_little = request.path in _CHANGES_NOTHING or request.path.startswith(OPEN)
        if CROWDED not in request or costs_little:
            return await handler(request)
        busy = HTTPStatus.SERVICE_UNAVAILABLE
        said = Said(_("The web page is busy"), too_many(), busy, int(AGAIN_S))
        return await _sent_back(site, request, said)

    return keep


def draws_refusals(site: Site) -> Middleware:
    """Has a page say what would be a line of text, or nothing but a number."""

    @web.middleware
    async def draw(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            if request.path.startswith(OPEN):
                raise  # strangers see no frame around pages
            return site.missing()
        except web.HTTPException as refusal:
            is_line = refusal.status >= HTTPStatus.BAD_REQUEST and refusal.content_type == LINE
            if not is_line or not _may_be_a_page(request):
                raise
            if request.method in SAFE:
                come_back_to(page_about(request.rel_url.raw_path))
            title, message = _words(refusal)
            page = site.said(title, message, status=refusal.status)
            if isinstance(refusal, web.HTTPMethodNotAllowed):
                page.headers["Allow"] = refusal.headers["Allow"]
            return page
        except Exception:
            # The top of all handlers; after it comes a line of text, too.
            if not _may_be_a_page(request):
                raise
            log.exception("page_failed", path=request.path)
            return await _sent_back(site, request, _mistake())

    return draw


def _may_be_a_page(request: web.Request) -> bool:
    """Not where an answer has begun, and not for strangers: they see no frame around pages."""
    has_begun = request.writer.output_size > 0
    is_open = request.path.startswith(OPEN)
    return asks_for_a_page(request) and not has_begun and not is_open


def _mistake() -> Said:
    return Said(
        _("Something went wrong here"),
        _("The web page has made a mistake; its log says which, by the number of the request."),
        HTTPStatus.INTERNAL_SERVER_ERROR,
        may_be_done=True,
    )


async def _sent_back(site: Site, request: web.Request, said: Said) -> web.Response:
    """What a form sent, to be sent again; where it sent nothing that fits, only why."""
    is_form = request.method not in SAFE
    # No more than other forms may send: there may be many of them at once.
    typed = await typed_in(request, is_known=False) if is_form else None
    if typed is None:
        return site.said(said.title, said.message, status=said.status)
    return kept(site, str(request.rel_url), typed, said)


def _words(refusal: web.HTTPException) -> tuple[str, str]:
    """Title and message."""
    if isinstance(refusal, web.HTTPMethodNotAllowed):
        return _("Nothing is shown here"), _("This address only takes what a form sends.")
    if isinstance(refusal, web.HTTPRequestEntityTooLarge):
        return _("That is too much at once"), _(
            "A form may send 1 MB. Go back in your browser, where it still is, and send less."
        )
    return _("This cannot be done"), (refusal.text or refusal.reason).strip()
