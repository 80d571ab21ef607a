"""Ending several maintenances together: which ones comes first, then just those."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from mds.v1.maintenance_pb2 import DeleteMaintenanceRequest

from control_units.client import ClientError
from webui.datasets.form import new_request_id
from webui.lists.facility import Judged
from webui.lists.ticked import Ticked, TooMany, too_many
from webui.lists.ticked_form import Shown, TickedForm
from webui.maintenances.shown import mark_of
from webui.names import id_of, page_of
from webui.operations.planned import MOST_WITHOUT_COUNT
from webui.site import READ_SECONDS, Site
from webui.translation import _
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
        return await self._plan(Ticked.of(request.query.items(), "maintenances"), Shown())

    async def end(self, request: web.Request) -> web.Response:
        """`POST /maintenances/end`: one after the other, and leads to the changes, from which each
        can be taken back; with those that the server refuses, it says so of each."""
        posted = await request.post()
        ticked = Ticked.of(posted.items(), "maintenances")
        form: TickedForm[Any] = TickedForm(
            site=self._site, path=PATH, posted=posted, ticked=ticked, plan=self._plan
        )
        form.come_back(ticked)
        etags = dict(zip(ticked.ids, map(str, posted.getall("etag", [])), strict=False))
        if not 0 < len(ticked.ids) <= MOST or len(etags) < len(ticked.ids):
            return await self._plan(ticked, Shown(reason=form.reason))

        async def end(id: str, request_id: str) -> Any:
            return await self._client.maintenances.DeleteMaintenance(
                DeleteMaintenanceRequest(
                    name=f"maintenances/{id}",
                    etag=etags[id],
                    request_id=request_id,
                    reason=form.reason or _("it is over"),
                )
            )

        return await form.carry_out(
            end,
            unconfirmed=_("Nothing was ended: type the number of maintenances that it is about."),
            leads_to=lambda _outcome: "/changes",
        )

    async def _plan(self, ticked: Ticked, shown: Shown) -> web.Response:
        if ticked.is_nothing:
            advice = _("Tick maintenances in their list, and choose what to do with them.")
            return self._refused(shown) if shown.problem else self._said(advice)
        try:
            async with asyncio.timeout(READ_SECONDS):
                found: list[Judged] = await ticked.things(self._client, most=MOST)
        except TooMany:
            return too_many(self._site, MOST)
        except (ClientError, TimeoutError) as failure:
            if shown.problem:  # what has become of the others is not to be lost
                return self._refused(shown)
            return self._site.refused(failure, whole=True)
        context: dict[str, object] = {
            "rows": [_row(each, shown.refused) for each in found],
            "asks_for_count": len(found) > MOST_WITHOUT_COUNT,
            "reason": shown.reason,
            "problem": shown.problem,
            "field": shown.field,
            # Each of them has its number behind it.
            "request_id": new_request_id()[:32],
            "ticked": ticked,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if shown.problem else HTTPStatus.OK
        return self._site.page("maintenances/end.html", context, status=status)

    def _refused(self, shown: Shown) -> web.Response:
        return self._said(shown.problem, title=_("The metadata server refused"))

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
