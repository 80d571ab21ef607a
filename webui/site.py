"""What every page stands on: whom it asks, what all browsers see at this moment, how it is drawn."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web
from jinja2 import Environment

from control_units.client import (
    AlreadyExists,
    Client,
    ClientError,
    Denied,
    Fault,
    HistoryGone,
    Invalid,
    Precondition,
    Refused,
    Stale,
    present_request,
)
from webui.access.rights import access_of, allows, role_too_small
from webui.clock import time_zone_name
from webui.frame.moment import keep_moment
from webui.live.hub import Hub
from webui.refusals import told
from webui.translation import _
from webui.visit import current_visit

# Time for all that one page asks, in s.
READ_SECONDS = 5.0
# Of the past of a large facility all units are counted, once for all who look at that moment.
PAST_SECONDS = 20.0

_STATUSES = {
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    AlreadyExists: HTTPStatus.CONFLICT,
    Precondition: HTTPStatus.CONFLICT,
    Stale: HTTPStatus.PRECONDITION_FAILED,
    HistoryGone: HTTPStatus.GONE,
    Denied: HTTPStatus.FORBIDDEN,
}
"""What a refusal is in a browser; another one is the server's own fault."""
# Faults that stand before anything is done.
_NOT_BEGUN = frozenset({"SCHEMA_UNKNOWN", "UNIMPLEMENTED"})


@dataclass(frozen=True, slots=True)
class Site:
    """Draws pages and parts of them. Holds nothing of the facility.

    Attributes:
        client: its calls are those of whoever the present request is made for.
    """

    client: Client
    hub: Hub
    environment: Environment

    @property
    def as_of(self) -> str:
        """The moment at which everything is read for this request; empty: now.

        A page that never asks for it shows now, and its frame says so.
        """
        visit = current_visit()
        visit.asked.add("as_of")
        return visit.as_of

    @property
    def is_past(self) -> bool:
        """Whether a moment is looked at, at which nothing can be changed."""
        return current_visit().past is not None

    def page(
        self, template: str, context: dict[str, object], *, status: int = HTTPStatus.OK
    ) -> web.Response:
        """A whole page, which goes on from the picture that all browsers had when it was asked
        for: of what has changed since, it may have read what was before, and is told anew."""
        picture, now = current_visit().picture or self.hub.picture, datetime.now(UTC)
        text = self.environment.get_template(template).render(
            context,
            picture=picture,
            failed_request=present_request() if status >= HTTPStatus.BAD_REQUEST else "",
            picture_id=self.hub.picture_id(picture),
            clock=self.hub.clock,
            drawn=f"{now.astimezone():%H:%M:%S}",
            time_zone=time_zone_name(now),
        )
        text = keep_moment(text, current_visit().past)
        response = web.Response(text=text, content_type="text/html", status=status)
        response.enable_compression()
        return response

    def fragment(self, template: str, context: dict[str, object]) -> web.Response:
        """A part that a page puts in its place."""
        return self.part(self.environment.get_template(template).render(context))

    def part(self, text: str) -> web.Response:
        """A part that is drawn already."""
        text = keep_moment(text, current_visit().past)
        response = web.Response(text=text, content_type="text/html")
        # Like whole pages: a part of a list is as large as its page.
        response.enable_compression()
        return response

    def allows(self, method: str) -> bool:
        """Whether whom this request is made for may make a call: `Operations.CreateOperation`.
        Templates ask in the same word."""
        return allows(current_visit().person, method)

    def require(self, method: str) -> None:
        """For a page that is of no use to those who may not do what it is for, nor at a moment at
        which nobody can.

        Raises:
            web.HTTPForbidden: a page that says which role it takes.
            web.HTTPConflict: a page that says that the past stays as it is.
        """
        if self.is_past and ".list" not in method.lower():
            raise self.unchangeable()
        if self.allows(method):
            return
        page = self.said(
            _("Your role does not allow this"),
            role_too_small(access_of(method).role, current_visit().person),
            status=HTTPStatus.FORBIDDEN,
        )
        raise web.HTTPForbidden(text=page.text, content_type="text/html")

    def unchangeable(self) -> web.HTTPConflict:
        """A page that says that the past stays as it is."""
        page = self.said(
            _("The past cannot be changed"),
            _("This page shows the past, which nobody can change. Go back to now first."),
            status=HTTPStatus.CONFLICT,
        )
        return web.HTTPConflict(text=page.text, content_type="text/html")

    def missing(self) -> web.Response:
        """There is nothing at this address."""
        return self.said(
            _("There is no such page"),
            _("What the address names has never been here, or is called otherwise now."),
            status=HTTPStatus.NOT_FOUND,
        )

    def said(self, title: str, message: str, *, status: int) -> web.Response:
        """A page that says why there is nothing else."""
        context: dict[str, object] = {"title": title, "message": message}
        return self.page("refused.html", context, status=status)

    def refused(self, failure: ClientError | TimeoutError, *, whole: bool) -> web.Response:
        """What the server said instead; as a page, or as a line for a part of one."""
        title, message, status = explain(failure)
        if whole:
            response = self.said(title, message, status=status)
        else:
            response = web.Response(text=f"{title}. {message}", status=status)
        if seconds := busy_seconds(failure):
            response.headers["Retry-After"] = str(seconds)
        return response


def busy_seconds(failure: ClientError | TimeoutError) -> int:
    """After how many whole seconds a server that is busy takes the same again; 0: it is not."""
    if not isinstance(failure, Refused) or failure.reason != "TOO_BUSY":
        return 0
    return max(1, math.ceil(failure.retry_after or 0))


def may_be_done(failure: ClientError | TimeoutError) -> bool:
    """Whether nobody knows if what was sent was done: no answer came, or a fault behind it."""
    if not isinstance(failure, Refused):
        return True
    if failure.reason in _NOT_BEGUN:
        return False
    if isinstance(failure, Fault) or failure.reason == "OUTCOME_UNKNOWN":
        return True
    # Something else answered than a metadata server: that may have done it.
    return failure.is_transient and not failure.error_reason


def can_be_mended(failure: ClientError | TimeoutError) -> bool:
    """Whether the server has said what is wrong with what was sent, and has done nothing."""
    return isinstance(failure, Refused) and not failure.is_transient and not may_be_done(failure)


def explain(failure: ClientError | TimeoutError) -> tuple[str, str, int]:
    """Title, message and HTTP status."""
    if isinstance(failure, Refused):
        if failure.reason.endswith("_NOT_FOUND") or failure.reason == "INVALID_ID":
            return _("There is no such page"), told(failure), HTTPStatus.NOT_FOUND
        if failure.reason == "UNAUTHENTICATED":
            message = _("You are no longer logged in.")
            return _("Log in again"), message, HTTPStatus.UNAUTHORIZED
        if failure.reason == "ROLE_REQUIRED":
            return _("Your role does not allow this"), told(failure), HTTPStatus.FORBIDDEN
        if seconds := busy_seconds(failure):
            message = _("Trying again in %(seconds)s s.") % {"seconds": seconds}
            return _("The metadata server is busy"), message, HTTPStatus.SERVICE_UNAVAILABLE
        status = _STATUSES.get(type(failure), HTTPStatus.BAD_GATEWAY)
        status = HTTPStatus.SERVICE_UNAVAILABLE if failure.is_transient else status
        return _("The metadata server refused"), _refusal(failure), status
    message = _("The metadata server does not answer. This page works again when it does.")
    return _("No answer"), message, HTTPStatus.SERVICE_UNAVAILABLE


def _refusal(refused: Refused) -> str:
    """Names the reason, by which it can be looked up."""
    words = told(refused)
    return f"{refused.reason}: {words}" if words == refused.message else words
