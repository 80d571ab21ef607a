"""Editing many units at once: what shall be, what that means for each, then one change."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web
from mds.v1.bundle_pb2 import SeenPlan
from mds.v1.control_unit_pb2 import ListControlUnitsRequest
from mds.v1.edit_pb2 import EditControlUnitsRequest
from mds.v1.filter_pb2 import CountMatchesRequest
from mds.v1.position_pb2 import Position
from mds.v1.template_pb2 import Template

from control_units.client import ClientError, Refused, Stale
from control_units.client.bundles import Outcome, outcome_of
from webui.datasets.again import again
from webui.datasets.bulk_form import LABEL, edits_in, groups_for
from webui.datasets.form import new_request_id
from webui.datasets.plan import FirstResults, planned_items
from webui.datasets.problem import field_of
from webui.names import id_of
from webui.refusals import told
from webui.selection import Chosen
from webui.site import READ_SECONDS, Site, can_be_mended
from webui.translation import _
from webui.visit import come_back_to

# Units that are looked at for the templates that they have: one by one, or as a list.
MOST_READ = 50
MOST_LISTED = 1000
MOST_TEMPLATES = 20
# Units whose differences are shown.
MOST_SHOWN = 200
# For a change of a hundred thousand units.
WRITE_SECONDS = 120.0


def routes(site: Site) -> list[web.RouteDef]:
    pages = BulkPages(site)
    return [
        web.get("/datasets/edit", pages.edit),
        web.post("/datasets/edit", pages.plan),
        web.post("/datasets/edit/apply", pages.apply),
    ]


class BulkPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def edit(self, request: web.Request) -> web.Response:
        """`GET /datasets/edit?id=…`, or `?filter=…`."""
        self._site.require("Edits.EditControlUnits")
        return await self._form(Chosen.of(request.query.items()), request.query)

    async def plan(self, request: web.Request) -> web.Response:
        """`POST /datasets/edit`: what it means for each unit; nothing is written."""
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        chosen = Chosen.of(posted.items())
        come_back_to("/datasets/edit", [*chosen.pairs, *_typed(texts)])
        edits = edits_in(texts)
        if chosen.is_nothing or not edits:
            problem = _("Nothing is to be changed: set or clear a field.")
            return await self._form(chosen, texts, problem=problem)
        if "again" in texts:
            return await self._form(chosen, texts)
        asked = EditControlUnitsRequest(
            selection=chosen.selection,
            edits=edits,
            reason=texts.get("reason", ""),
            validate_only=True,
            request_id=new_request_id(),
        )
        return await self._show_plan(chosen, texts, asked)

    async def apply(self, request: web.Request) -> web.Response:
        """`POST /datasets/edit/apply`: just the plan that was seen, as one change."""
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        chosen = Chosen.of(posted.items())
        come_back_to("/datasets/edit", [*chosen.pairs, *_typed(texts)])
        asked = EditControlUnitsRequest(
            selection=chosen.selection,
            edits=edits_in(texts),
            reason=texts.get("reason", ""),
            request_id=texts.get("request_id") or new_request_id(),
            seen_plan=seen_plan(texts),
        )
        if texts.get("count") and texts.get("typed_count", "").strip() != texts["count"]:
            asked.validate_only = True
            asked.ClearField("seen_plan")
            asked.request_id = new_request_id()
            problem = _("Nothing was changed: type the number of units that it is about.")
            return await self._show_plan(chosen, texts, asked, problem=problem, field="typed_count")
        try:
            outcome, _more = await self._outcome(asked)
        except Stale as moved:
            asked.validate_only = True
            asked.ClearField("seen_plan")
            asked.request_id = new_request_id()
            problem = _("Nothing was changed. %(why)s") % {"why": told(moved)}
            return await self._show_plan(chosen, texts, asked, problem=problem)
        except (ClientError, TimeoutError) as failure:
            return await self._kept(chosen, texts, failure, is_applied=True)
        raise web.HTTPSeeOther(f"/change_sets/{outcome.summary.position.revision}?saved=1")

    async def _show_plan(
        self,
        chosen: Chosen,
        texts: Mapping[str, str],
        asked: EditControlUnitsRequest,
        *,
        problem: str = "",
        field: str = "",
    ) -> web.Response:
        try:
            outcome, more = await self._outcome(asked)
        except (ClientError, TimeoutError) as failure:
            return await self._kept(chosen, texts, failure, is_applied=False)
        context = {
            "chosen": chosen,
            "texts": {name: text for name, text in _typed(texts) if name != "reason"},
            "reason": texts.get("reason", ""),
            "edits": asked.edits,
            "summary": outcome.summary,
            "items": planned_items(outcome.results),
            "more": more,
            "problems": outcome.problems,
            "problem": problem,
            "field": field,
            "request_id": new_request_id(),
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem or outcome.problems else HTTPStatus.OK
        return self._site.page("datasets/bulk_plan.html", context, status=status)

    async def _kept(
        self,
        chosen: Chosen,
        texts: Mapping[str, str],
        failure: ClientError | TimeoutError,
        *,
        is_applied: bool,
    ) -> web.Response:
        """The form again, or all that was typed, where no server says what is in the form."""
        if isinstance(failure, Refused) and can_be_mended(failure):
            field = field_of(failure)
            return await self._form(chosen, texts, problem=told(failure), field=field)
        said = [(name, text) for name, text in texts.items() if name not in ("id", "filter", "all")]
        path = "/datasets/edit/apply" if is_applied else "/datasets/edit"
        return again(self._site, path, [*chosen.pairs, *said], failure, written=is_applied)

    async def _outcome(self, asked: EditControlUnitsRequest) -> tuple[Outcome, int]:
        """What the server says, with the results that are shown, and how many more there are."""
        first = FirstResults(MOST_SHOWN)
        async with asyncio.timeout(WRITE_SECONDS):
            responses = self._client.edits.EditControlUnits(asked, timeout=WRITE_SECONDS)
            outcome = await outcome_of(
                self._client, responses, progress=lambda _: None, results_of=first
            )
        return outcome, first.more

    async def _form(
        self, chosen: Chosen, texts: Mapping[str, str], *, problem: str = "", field: str = ""
    ) -> web.Response:
        try:
            async with asyncio.timeout(READ_SECONDS):
                templates, count = await asyncio.gather(
                    self._templates(chosen), self._count(chosen)
                )
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        context = {
            "chosen": chosen,
            "count": count,
            "groups": groups_for(templates, texts),
            "reason": texts.get("reason", ""),
            "problem": problem,
            "field": field,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("datasets/bulk.html", context, status=status)

    async def _count(self, chosen: Chosen) -> int:
        if chosen.is_nothing or chosen.ids:
            return len(chosen.ids)
        asked = CountMatchesRequest(kind="control_unit", filter=chosen.filter)
        return (await self._client.filters.CountMatches(asked)).count

    async def _templates(self, chosen: Chosen) -> list[Template]:
        """Of the first units, in the versions that they are on."""
        units = self._client.control_units
        if chosen.ids:
            first = await asyncio.gather(*(units.get(id) for id in chosen.ids[:MOST_READ]))
            names = {unit.template for unit in first}
        elif chosen.is_nothing:
            names = set()
        else:
            request = ListControlUnitsRequest(filter=chosen.filter, page_size=MOST_LISTED)
            names = {
                each.template for each in (await units.ListControlUnits(request)).control_units
            }
        found = sorted(names)[:MOST_TEMPLATES]
        return list(
            await asyncio.gather(*(self._client.templates.get(id_of(name)) for name in found))
        )


def _typed(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """What somebody has filled in."""
    return [
        (name, text)
        for name, text in texts.items()
        if name[:3] in ("do:", "to:") or name in (LABEL, "reason")
    ]


def seen_plan(texts: Mapping[str, str]) -> SeenPlan:
    """The plan that a form carries; see `plan_entries` in the templates."""
    revision, epoch = texts.get("revision", "0"), texts.get("epoch", "0")
    position = Position(
        store_id=texts.get("store_id", ""),
        epoch=int(epoch) if epoch.isdecimal() else 0,
        revision=int(revision) if revision.isdecimal() else 0,
    )
    return SeenPlan(position=position, plan=texts.get("plan", ""))
