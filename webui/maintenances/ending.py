"""Ending several maintenances together: which ones comes first, then just those."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from mds.v1.maintenance_pb2 import DeleteMaintenanceRequest

from control_units.client import ClientError
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.problem import field_of
from webui.lists.facility import Judged
from webui.lists.ticked import Ticked, TooMany, too_many
from webui.lists.together import Outcome, one_by_one
from webui.maintenances.shown import mark_of
from webui.names import id_of, page_of
from webui.operations.planned import MOST_WITHOUT_COUNT
from webui.refusals import told
from webui.site import READ_SECONDS, Site
from webui.translation import _
from webui.visit import come_back_to
from webui.vocabulary import Mark

PATH = "/maintenances/end"
# Maintenances at once: each is a call of its own, for a bundle takes more than ending one does.
MOST = 200


@dataclass(frozen=True, slots=True)
class Ended:
    """One maintenance.

    Attributes:
        etag: of what is shown here.
        problem: why the server refused; empty: it did not.
    """

    id: str
    page: str
    mark: Mark
    description: str
    etag: str
    problem: str


def routes(site: Site) -> list[web.RouteDef]:
    pages = EndingPages(site)
    return [web.get(PATH, pages.plan), web.post(PATH, pages.end)]


class EndingPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def plan(self, request: web.Request) -> web.Response:
        """`GET /maintenances/end?id=…`, or `?filter=…`: which ones it is about."""
        self._site.require("Maintenances.DeleteMaintenance")
        return await self._plan(Ticked.of(request.query.items(), "maintenances"))

    async def end(self, request: web.Request) -> web.Response:
        """`POST /maintenances/end`: one after the other, and leads to the changes, from which each
        can be taken back; with those that the server refuses, it says so of each."""
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        ticked, reason = Ticked.of(posted.items(), "maintenances"), texts.get("reason", "")
        come_back_to(PATH, ticked.pairs)
        etags = dict(zip(ticked.ids, map(str, posted.getall("etag", [])), strict=False))
        if not 0 < len(ticked.ids) <= MOST or len(etags) < len(ticked.ids):
            return await self._plan(ticked, reason=reason)
        asked = texts.get("count", "")
        if asked and texts.get("typed_count", "").strip() != asked:
            problem = _("Nothing was ended: type the number of maintenances that it is about.")
            return await self._plan(ticked, reason=reason, problem=problem, field="typed_count")

        async def end(id: str, request_id: str) -> None:
            await self._client.maintenances.DeleteMaintenance(
                DeleteMaintenanceRequest(
                    name=f"maintenances/{id}",
                    etag=etags[id],
                    request_id=request_id,
                    reason=reason or _("it is over"),
                )
            )

        request_id = texts.get("request_id") or new_request_id()[:32]
        outcome = await one_by_one(ticked.ids, request_id, end)
        if failure := outcome.failure:
            begun = bool(outcome.done)
            return again(self._site, PATH, posted.items(), failure, begun=begun)
        if refused := outcome.about_all:
            field = field_of(refused)
            return await self._plan(ticked, reason=reason, problem=told(refused), field=field)
        if outcome.refused:
            return await self._refused(ticked.only(outcome.left), outcome, reason=reason)
        raise web.HTTPSeeOther("/changes")

    async def _refused(
        self, ticked: Ticked, outcome: Outcome[None], *, reason: str
    ) -> web.Response:
        """The plan of those that are left, with why each was refused."""
        come_back_to(PATH, ticked.pairs)  # and not to what is done
        problem = outcome.words_of_gone
        if ticked.is_nothing:
            return self._said(problem, title=_("The metadata server refused"))
        return await self._plan(ticked, reason=reason, problem=problem, refused=outcome.left)

    async def _plan(
        self,
        ticked: Ticked,
        *,
        reason: str = "",
        problem: str = "",
        field: str = "",
        refused: Mapping[str, str] | None = None,
    ) -> web.Response:
        """
        Args:
            field: what the problem is about: `reason`, `typed_count`; empty: none of them.
            refused: why, by id.
        """
        if ticked.is_nothing:
            return self._said(
                _("Tick maintenances in their list, and choose what to do with them.")
            )
        try:
            async with asyncio.timeout(READ_SECONDS):
                found: list[Judged] = await ticked.things(self._client, most=MOST)
        except TooMany:
            return too_many(self._site, MOST)
        except (ClientError, TimeoutError) as failure:
            if problem:  # what has become of the others is not to be lost
                return self._said(problem, title=_("The metadata server refused"))
            return self._site.refused(failure, whole=True)
        context: dict[str, object] = {
            "rows": [_row(each, refused or {}) for each in found],
            "asks_for_count": len(found) > MOST_WITHOUT_COUNT,
            "reason": reason,
            "problem": problem,
            "field": field,
            # Each of them has its number behind it.
            "request_id": new_request_id()[:32],
            "ticked": ticked,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("maintenances/end.html", context, status=status)

    def _said(self, message: str, *, title: str = "") -> web.Response:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return self._site.said(title or _("Nothing to end"), message, status=status)


def _row(each: Judged, refused: Mapping[str, str]) -> Ended:
    declared = each.declared
    id = id_of(declared.name)
    return Ended(
        id=id,
        page=page_of(declared.name),
        mark=mark_of(declared, each.time),
        description=declared.description,
        etag=declared.etag,
        problem=refused.get(id, ""),
    )
