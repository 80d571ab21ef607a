"""`/import`: a document, what it would do, and doing just that."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from control_units.client import ClientError, Refused, Stale
from webui.access.log_in import POSTED
from webui.datasets.bulk import seen_plan
from webui.datasets.form import new_request_id
from webui.importing.document import (
    MOST_BYTES,
    CannotTake,
    Document,
    TooLarge,
    document_in,
    put_aside,
    too_large,
    typed_in,
    without_files,
)
from webui.importing.planning import Planned, Wish, carried_out, planned, read_document
from webui.importing.shown import MOST_PROBLEMS, part_of, shown_problems
from webui.refusals import told
from webui.site import Site, explain
from webui.translation import _

METHOD = "Bundles.Apply"
# For what a form has besides its document.
_MORE_BYTES = 1024 * 1024


def routes(site: Site) -> list[web.RouteDef]:
    pages = ImportPages(site)
    return [
        web.get("/import", pages.form),
        web.post("/import", pages.plan),
        web.post("/import/apply", pages.apply),
    ]


@dataclass(slots=True)
class Sent:
    """A form as it came.

    Attributes:
        document: None: none came.
        fault: why it cannot be taken; then the document is what else there was.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    document: Document | None = None
    fault: CannotTake | None = None

    @property
    def wish(self) -> Wish:
        return Wish(
            reason=self.texts.get("reason", "").strip(),
            skips_invalid="skip" in self.texts,
            keeps_existing="keep" in self.texts,
        )

    @property
    def page(self) -> int:
        page = self.texts.get("page", "")
        return int(page) if page.isdecimal() and len(page) < 7 else 0


class ImportPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        # A large document takes memory: one is read at a time.
        self._turn = asyncio.Lock()

    async def form(self, _request: web.Request) -> web.Response:
        """`GET /import`"""
        self._site.require(METHOD)
        return self._page(Sent())

    async def plan(self, request: web.Request) -> web.Response:
        """`POST /import`: what it would do; nothing is written."""
        self._site.require(METHOD)
        sent = await self._sent(request)
        return self._cannot(sent, sent.fault) if sent.fault else await self._planned(sent)

    async def apply(self, request: web.Request) -> web.Response:
        """`POST /import/apply`: just the plan that was seen, as one change."""
        self._site.require(METHOD)
        sent = await self._sent(request)
        if sent.fault:
            return self._cannot(sent, sent.fault)
        texts = sent.texts
        if texts.get("count") and texts.get("typed_count", "").strip() != texts["count"]:
            problem = _("Nothing was changed: type the number of things that it is about.")
            return await self._planned(sent, problem=problem)
        request_id = texts.get("request_id") or new_request_id()
        try:
            async with self._turn:
                content = await read_document(_document(sent))
                outcome = await carried_out(
                    self._site.client,
                    content,
                    sent.wish,
                    seen=seen_plan(texts),
                    request_id=request_id,
                )
        except CannotTake as fault:
            return self._cannot(sent, fault)
        except Stale as moved:
            problem = _("Nothing was changed. %(why)s") % {"why": told(moved)}
            return await self._planned(sent, problem=problem, status=HTTPStatus.PRECONDITION_FAILED)
        except (ClientError, TimeoutError) as failure:
            if isinstance(failure, Refused) and failure.reason == "REQUEST_ID_REUSED":
                # Rows are laid over what is there, so that after the first time they are others.
                problem = _("This was sent before, and is done.")
                return await self._planned(sent, problem=problem)
            title, message, status = explain(failure)
            again = request_id if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
            return self._page(sent, problem=f"{title}. {message}", status=status, again=again)
        if outcome is None or not outcome.summary.applied:
            problem = _("Nothing was changed: there are problems.")
            return await self._planned(sent, problem=problem)
        raise web.HTTPSeeOther(f"/change_sets/{outcome.summary.position.revision}?saved=import")

    async def _planned(
        self, sent: Sent, *, problem: str = "", status: int = HTTPStatus.OK
    ) -> web.Response:
        """The plan as it is now."""
        try:
            async with self._turn:
                content = await read_document(_document(sent))
                plan = await planned(self._site.client, content, sent.wish)
        except CannotTake as fault:
            return self._cannot(sent, fault)
        except (ClientError, TimeoutError) as failure:
            title, message, status = explain(failure)
            return self._page(sent, problem=f"{title}. {message}", status=status)
        if plan.outcome is None and not plan.problems:
            problem = _("There is nothing in it to take. A table has its units below its heads.")
        if status == HTTPStatus.OK and (problem or plan.problems):
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        if not problem and _is_another(sent, plan):
            problem = _("Somebody has changed something: the plan is another one than before.")
        return self._page(sent, plan=plan, problem=problem, status=status)

    async def _sent(self, request: web.Request) -> Sent:
        """What a form carries, as far as it can be read."""
        try:
            posted = await request.clone(client_max_size=MOST_BYTES + _MORE_BYTES).post()
        except web.HTTPRequestEntityTooLarge:
            return Sent(fault=TooLarge(too_large()))
        except (ValueError, LookupError):
            return Sent(fault=CannotTake(_("What was sent is no form that can be read.")))
        # Should the server refuse the token, the log-in page keeps it.
        request[POSTED] = without_files(posted)
        texts = {name: value for name, value in posted.items() if isinstance(value, str)}
        try:
            return Sent(texts, document_in(posted))
        except CannotTake as fault:
            return Sent(texts, typed_in(texts), fault)
        finally:
            for value in posted.values():
                if isinstance(value, web.FileField):
                    value.file.close()

    def _cannot(self, sent: Sent, fault: CannotTake) -> web.Response:
        is_size = isinstance(fault, TooLarge)
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_size else HTTPStatus.UNPROCESSABLE_ENTITY
        return self._page(sent, problem=str(fault), status=status)

    def _page(
        self,
        sent: Sent,
        *,
        plan: Planned | None = None,
        problem: str = "",
        status: int = HTTPStatus.OK,
        again: str = "",
    ) -> web.Response:
        """
        Args:
            again: request id of what nobody has answered, to be sent again just so.
        """
        document = sent.document or Document("", "")
        context: dict[str, object] = {
            "document": document,
            "aside": put_aside(sent.texts, document),
            "texts": sent.texts,
            "most_bytes": MOST_BYTES,
            "too_large": too_large(),
            "plan": plan,
            "problem": problem,
            "again": again,
            "request_id": again or new_request_id(),
        }
        if plan is not None:
            context |= {
                "summary": plan.outcome.summary if plan.outcome else None,
                "problems": shown_problems(plan),
                "more_problems": max(0, len(plan.problems) - MOST_PROBLEMS),
                "part": part_of(plan, sent.page),
            }
        return self._site.page("importing/import.html", context, status=status)


def _document(sent: Sent) -> Document:
    assert sent.document is not None  # `_sent` gives none without one
    return sent.document


def _is_another(sent: Sent, plan: Planned) -> bool:
    """Whether somebody who turns pages gets pages of another plan."""
    seen = sent.texts.get("plan", "")
    is_turned = "page" in sent.texts and bool(seen)
    return is_turned and plan.outcome is not None and plan.outcome.summary.plan != seen
