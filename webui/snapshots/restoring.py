"""Restoring values of a snapshot: those that are ticked, by one operation, its plan first."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from mds.v1.live_values_pb2 import NotedValue, PlanRestoreRequest, RestorePlan
from mds.v1.operation_pb2 import (
    CreateOperationRequest,
    Operation,
    OrderVerb,
    PlanOperationRequest,
    UnitEdits,
)

from control_units.client import ClientError, Precondition, Refused, Stale
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.names import id_of, page_of
from webui.operations.planned import plan_of
from webui.operations.standing import last_words
from webui.refusals import told
from webui.site import Site, can_be_mended
from webui.snapshots.comparison import COMPARE_SECONDS
from webui.translation import _

# Values that are told one by one.
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Restored:
    """One value.

    Attributes:
        words: what will be; of what is left out, why.
    """

    unit: str
    page: str
    attribute: str
    words: str


def routes(site: Site) -> list[web.RouteDef]:
    return [web.post("/snapshots/{id:.+}/restore", RestorePages(site).restore)]


class RestorePages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def restore(self, request: web.Request) -> web.Response:
        """`POST /snapshots/{id}/restore`: the plan for the values that are ticked, or, with
        `every`, for all that differ; with `plan` of what was seen, just that is ordered."""
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        keys = [str(each) for each in posted.getall("value", [])]
        name = f"snapshots/{request.match_info['id']}"
        wanted = None if "every" in texts else frozenset(keys)
        problem = ""
        if wanted is not None and not wanted:
            return self._nothing()
        asked, needed = texts.get("count", ""), texts.get("typed_count", "").strip()
        if texts.get("plan") and asked and asked != needed:
            problem = _("Nothing was ordered: type the number of units that it is about.")
        field = "typed_count" if problem else ""
        written = False
        try:
            async with asyncio.timeout(COMPARE_SECONDS):
                found = await self._edits(name, wanted, texts.get("tolerance", ""))
                operation = Operation(verb=OrderVerb.ORDER_VERB_EDIT, unit_edits=found.edits)
                if texts.get("plan") and found.edits and not problem:
                    written = True
                    try:
                        ordered = await self._order(operation, name, texts)
                        raise web.HTTPSeeOther(page_of(ordered.name))
                    except (Precondition, Stale) as refused:
                        written = False
                        problem = _("Nothing was ordered. %(why)s") % {"why": told(refused)}
                return await self._plan(
                    name, found, operation, keys, texts, problem=problem, field=field
                )
        except Refused as refused:
            if not can_be_mended(refused):
                return again(self._site, request.path, posted.items(), refused, written=written)
            return self._site.refused(refused, whole=True)
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure, written=written)

    async def _edits(
        self, name: str, wanted: Collection[str] | None, tolerance: str
    ) -> RestorePlan:
        """What has to be edited: only of values in `wanted`, where there is such."""
        request = PlanRestoreRequest(name=name, tolerance=tolerance)
        if wanted is not None:
            # Not by units: some of those in a snapshot may not be declared any more.
            request.attributes.extend(sorted({key.partition(" ")[2] for key in wanted}))
        found = await self._client.live_values.PlanRestore(request, timeout=COMPARE_SECONDS)
        return found if wanted is None else _only(found, wanted)

    async def _order(self, operation: Operation, name: str, texts: dict[str, str]) -> Operation:
        return await self._client.operations.CreateOperation(
            CreateOperationRequest(
                operation=operation,
                request_id=texts.get("request_id") or new_request_id(),
                reason=texts.get("reason")
                or _("%(snapshot)s restored") % {"snapshot": id_of(name)},
                seen_plan=texts["plan"],
            )
        )

    async def _plan(
        self,
        name: str,
        found: RestorePlan,
        operation: Operation,
        keys: Sequence[str],
        texts: dict[str, str],
        *,
        problem: str,
        field: str,
    ) -> web.Response:
        plan = None
        if found.edits:
            planned = await self._client.operations.PlanOperation(
                PlanOperationRequest(operation=operation), timeout=COMPARE_SECONDS
            )
            plan = plan_of(planned, await last_words(self._site.client, planned))
        edits = [
            Restored(id_of(unit.name), page_of(unit.name), attribute_in(edit.path), edit.value)
            for unit in found.edits
            for edit in unit.edits
        ]
        context: dict[str, object] = {
            "id": id_of(name),
            "page": page_of(name),
            "edits": edits[:MOST_SHOWN],
            "count": len(edits),
            "left_out": _noted(found.left_out),
            "strayed": _noted(found.strayed),
            "plan": plan,
            "keys": keys,
            "every": "every" in texts,
            "tolerance": texts.get("tolerance", ""),
            "reason": texts.get("reason", ""),
            "problem": problem,
            "field": field,
            "request_id": new_request_id(),
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("snapshots/restore.html", context, status=status)

    def _nothing(self) -> web.Response:
        context: dict[str, object] = {
            "title": _("Nothing to restore"),
            "message": _("Tick values on the page of the snapshot."),
        }
        return self._site.page("refused.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def attribute_in(path: str) -> str:
    """Of which attribute an edit is: `overrides[current]` is about `current`."""
    return path.partition("[")[2].rpartition("]")[0]


def _only(found: RestorePlan, wanted: Collection[str]) -> RestorePlan:
    """Of a plan for all attributes of all units that were named, what was ticked."""
    edits = [
        UnitEdits(
            name=unit.name,
            edits=[
                edit
                for edit in unit.edits
                if f"{id_of(unit.name)} {attribute_in(edit.path)}" in wanted
            ],
        )
        for unit in found.edits
    ]

    units = {key.partition(" ")[0] for key in wanted}

    def kept(note: NotedValue) -> bool:
        unit = id_of(note.control_unit)
        return f"{unit} {note.attribute}" in wanted or (not note.attribute and unit in units)

    return RestorePlan(
        edits=[unit for unit in edits if unit.edits],
        left_out=filter(kept, found.left_out),
        strayed=filter(kept, found.strayed),
    )


def _noted(notes: Sequence[NotedValue]) -> list[Restored]:
    return [
        Restored(id_of(each.control_unit), page_of(each.control_unit), each.attribute, each.note)
        for each in notes[:MOST_SHOWN]
    ]
