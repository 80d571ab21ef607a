"""Maintenances: begun or planned by a form, changed, and ended."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.control_unit_pb2 import ListControlUnitsRequest
from mds.v1.history_pb2 import ChangeSet, GetChangeSetRequest
from mds.v1.maintenance_pb2 import (
    CreateMaintenanceRequest,
    DeleteMaintenanceRequest,
    GetMaintenanceRequest,
    Maintenance,
    UpdateMaintenanceRequest,
)

from control_units.client import AlreadyExists, ClientError, HistoryGone, Refused, Stale
from webui.datasets.again import again
from webui.datasets.conflict import choices, conflict_page
from webui.datasets.form import new_request_id, page_after
from webui.datasets.just_made import just_made
from webui.datasets.problem import Problem, field_of
from webui.lists.facility import UNIT_SERVERS
from webui.lists.ticked import Ticked, TooMany, too_many
from webui.maintenances.form import Form, problem_of, words_of
from webui.maintenances.shown import maintenance_page
from webui.names import id_of, page_of
from webui.past_time import time_of
from webui.refusals import told
from webui.selection import Chosen
from webui.site import READ_SECONDS, Site, can_be_mended
from webui.translation import _

# Units of a filter that are named; who means more names a group.
MOST_CHOSEN = 1000


def routes(site: Site) -> list[web.RouteDef]:
    pages = MaintenancePages(site)
    return [
        web.get("/maintenances/new", pages.new),
        web.post("/maintenances/new", pages.begin),
        web.get("/maintenances/{id:.+}/edit", pages.edit),
        web.post("/maintenances/{id:.+}/edit", pages.save),
        web.post("/maintenances/{id:.+}/end", pages.end),
        web.get("/maintenances/{id:.+}", pages.maintenance),
    ]


class MaintenancePages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client
        self._maintenances = site.client.maintenances

    async def maintenance(self, request: web.Request) -> web.Response:
        """`GET /maintenances/{id}`, or its fragment `main`."""
        name = _name(request)
        whole = request.query.get("fragment") != "main"
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await self._get(name, as_of=self._site.as_of)
                change = await self._change(found.revision)
                then = await time_of(self._client, self._site.as_of)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=whole)
        context: dict[str, object] = {
            "maintenance": maintenance_page(found, change, then or datetime.now(UTC)),
            "request_id": new_request_id(),
        }
        if not whole:
            return self._site.fragment("maintenances/maintenance_main.html", context)
        context |= {
            "saved": await just_made(self._site, request, "saved"),
            "undone": await just_made(self._site, request, "undone"),
        }
        return self._site.page("maintenances/maintenance.html", context)

    async def new(self, request: web.Request) -> web.Response:
        """`GET /maintenances/new?id=…`, `?filter=…`, `?unit_server=…`, `?group=…`: a form. With
        `of=unit_servers` the ids, or the filter, are of those."""
        self._site.require("Maintenances.CreateMaintenance")
        of_servers = request.query.get("of") == UNIT_SERVERS.path
        told = () if of_servers else request.query.items()
        servers = Ticked.of(request.query.items() if of_servers else (), UNIT_SERVERS.path)
        try:
            async with asyncio.timeout(READ_SECONDS):
                ids, more = await self._ids(Chosen.of(told))
                names = await servers.names(self._client, most=MOST_CHOSEN)
        except TooMany:
            return too_many(self._site, MOST_CHOSEN)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        form = Form.new(
            request.query_string,
            control_units=ids,
            unit_servers=[*request.query.getall("unit_server", []), *map(id_of, names)],
            id_prefixes=request.query.getall("group", []),
        )
        if more:
            note = _("These are the first %(number)s. Name a group to cover more.")
            form = form.wrong([Problem("control_units", note % {"number": len(ids)})])
        return self._form(form, new=True)

    async def begin(self, request: web.Request) -> web.Response:
        """`POST /maintenances/new`: leads to what was begun, or planned."""
        posted = await _texts(request)
        form = Form.sent(posted).upon(None)
        wanted, problems = form.read()
        if problems:
            return self._form(form.wrong(problems), new=True)
        try:
            async with asyncio.timeout(READ_SECONDS):
                begun = await self._maintenances.CreateMaintenance(
                    CreateMaintenanceRequest(
                        maintenance=wanted,
                        request_id=form.request_id or new_request_id(),
                        reason=form.reason or form.texts["description"],
                    )
                )
        except AlreadyExists:
            problem = Problem("id", _("There is another one of this name: choose another name."))
            return self._form(form.wrong([problem]), new=True, status=HTTPStatus.CONFLICT)
        except (ClientError, TimeoutError) as failure:
            return self._again(request, posted, form, failure, new=True)
        raise web.HTTPSeeOther(f"{page_of(begun.name)}?saved={begun.revision}")

    async def edit(self, request: web.Request) -> web.Response:
        """`GET /maintenances/{id}/edit`."""
        self._site.require("Maintenances.UpdateMaintenance")
        try:
            async with asyncio.timeout(READ_SECONDS):
                form = Form.of(await self._get(_name(request)))
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        return self._form(form)

    async def save(self, request: web.Request) -> web.Response:
        """`POST /maintenances/{id}/edit`: leads back to it."""
        posted = {**await _texts(request), "id": request.match_info["id"]}
        form = Form.sent(posted)
        try:
            async with asyncio.timeout(READ_SECONDS):
                base = await self._base(_name(request), form)
        except (ClientError, TimeoutError) as failure:
            return self._again(request, posted, form, failure, written=False)
        before = Form.of(base)
        form = form.upon(before)
        wanted, problems = form.read()
        if problems:
            return self._form(form.wrong(problems))
        mask = form.mask(before)
        if not mask:
            raise web.HTTPSeeOther(page_of(base.name))
        try:
            async with asyncio.timeout(READ_SECONDS):
                saved = await self._maintenances.UpdateMaintenance(
                    UpdateMaintenanceRequest(
                        maintenance=wanted,
                        update_mask=FieldMask(paths=mask),
                        request_id=form.request_id or new_request_id(),
                        reason=form.reason,
                    )
                )
        except Stale as stale:
            return await self._conflict(request, posted, form, before, stale)
        except (ClientError, TimeoutError) as failure:
            return self._again(request, posted, form, failure)
        raise web.HTTPSeeOther(page_after(saved, form.etag))

    async def end(self, request: web.Request) -> web.Response:
        """`POST /maintenances/{id}/end`: leads to the change, from which it can be taken back."""
        posted = await _texts(request)
        try:
            async with asyncio.timeout(READ_SECONDS):
                ended = await self._maintenances.DeleteMaintenance(
                    DeleteMaintenanceRequest(
                        name=_name(request),
                        etag=posted.get("etag") or "*",
                        request_id=posted.get("request_id") or new_request_id(),
                        reason=posted.get("reason") or _("it is over"),
                    )
                )
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        raise web.HTTPSeeOther(f"/change_sets/{ended.position.revision}?saved=1")

    async def _conflict(
        self,
        request: web.Request,
        posted: Mapping[str, str],
        form: Form,
        base: Form,
        stale: Stale,
    ) -> web.Response:
        """What was typed beside what somebody else has written meanwhile, and what both read."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await self._get(_name(request))
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure, written=False)
        now = Form.of(found)
        differing = choices(base.texts, form.texts, now.texts, words_of=words_of)
        chosen = {"id", *(each.path for each in differing)}
        rest = {field: text for field, text in now.texts.items() if field not in chosen}
        return conflict_page(self._site, found, differing, form.reason, stale=stale, rest=rest)

    def _again(
        self,
        request: web.Request,
        posted: Mapping[str, str],
        form: Form,
        failure: ClientError | TimeoutError,
        *,
        new: bool = False,
        written: bool = True,
    ) -> web.Response:
        if not isinstance(failure, Refused) or not can_be_mended(failure):
            return again(self._site, request.path, posted.items(), failure, written=written)
        problems = [problem_of(each.field, each.description) for each in failure.violations]
        return self._form(
            form.wrong(problems or [Problem(field_of(failure), told(failure))]), new=new
        )

    def _form(self, form: Form, *, new: bool = False, status: int = 0) -> web.Response:
        is_wrong = bool(form.problems)
        context: dict[str, object] = {
            "form": form,
            "new": new,
            "problems": form.problems or {},
            "page": "/maintenances/new" if new else page_of(f"maintenances/{form.texts['id']}"),
            "request_id": new_request_id(),
        }
        usual = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong and form.request_id else HTTPStatus.OK
        return self._site.page("maintenances/edit.html", context, status=status or usual)

    async def _base(self, name: str, form: Form) -> Maintenance:
        """What a form was drawn from; where nobody knows that any more, what is there."""
        found = await self._get(name)
        if found.etag == form.etag:
            return found
        try:
            return await self._get(name, as_of=form.revision)
        except HistoryGone:
            return found

    async def _get(self, name: str, *, as_of: str = "") -> Maintenance:
        return await self._maintenances.GetMaintenance(
            GetMaintenanceRequest(name=name, as_of=as_of)
        )

    async def _change(self, revision: int) -> ChangeSet | None:
        """Who wrote it last; None: so long ago that nobody knows any more."""
        try:
            return await self._client.history.GetChangeSet(
                GetChangeSetRequest(name=f"change_sets/{revision}")
            )
        except Refused as refused:
            if refused.is_transient:
                raise
            return None

    async def _ids(self, chosen: Chosen) -> tuple[list[str], bool]:
        """Ids of the units that were chosen, and whether there are more."""
        if chosen.is_nothing or chosen.ids:
            return list(chosen.ids), False
        page = await self._client.control_units.ListControlUnits(
            ListControlUnitsRequest(filter=chosen.filter, page_size=MOST_CHOSEN)
        )
        return [id_of(each.name) for each in page.control_units], bool(page.next_page_token)


def _name(request: web.Request) -> str:
    return f"maintenances/{request.match_info['id']}"


async def _texts(request: web.Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.post()).items()}
