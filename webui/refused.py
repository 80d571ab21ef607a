"""What cannot be answered is said on a page of ours, with a way out; scripts get a line."""

from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from webui.access.admission import OPEN
from webui.access.log_in import asks_for_a_page
from webui.site import Site
from webui.translation import _
from webui.visit import SAFE, come_back_to, current_visit, page_about

# How a page looks, and who looks at it, may be changed while it shows the past.
_CHANGES_NOTHING = {"/theme", "/logout"}
LINE = "text/plain"


def keeps_the_past(site: Site) -> Middleware:
    """Takes nothing that is sent from a page of the past."""

    @web.middleware
    async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_change = request.method not in SAFE and request.path not in _CHANGES_NOTHING
        if is_change and current_visit().past:
            raise site.unchangeable()
        return await handler(request)

    return keep


def draws_refusals(site: Site) -> Middleware:
    """Has a page say what would be a line of text, or nothing but a number."""

    @web.middleware
    async def draw(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return site.missing()
        except web.HTTPException as refusal:
            is_line = refusal.status >= HTTPStatus.BAD_REQUEST and refusal.content_type == LINE
            # Strangers see nothing of the frame around pages.
            if not is_line or not asks_for_a_page(request) or request.path.startswith(OPEN):
                raise
            if request.method in SAFE:
                come_back_to(page_about(request.rel_url.raw_path))
            title, message = _words(refusal)
            page = site.said(title, message, status=refusal.status)
            if isinstance(refusal, web.HTTPMethodNotAllowed):
                page.headers["Allow"] = refusal.headers["Allow"]
            return page

    return draw


def _words(refusal: web.HTTPException) -> tuple[str, str]:
    """Title and message."""
    if isinstance(refusal, web.HTTPMethodNotAllowed):
        return _("Nothing is shown here"), _("This address only takes what a form sends.")
    if isinstance(refusal, web.HTTPRequestEntityTooLarge):
        return _("That is too much at once"), _(
            "A form may send 1 MB. Go back in your browser, where it still is, and send less."
        )
    return _("This cannot be done"), (refusal.text or refusal.reason).strip()
