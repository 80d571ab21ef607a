"""Declaring what is not there yet, by the form that edits it; also like one that is there."""

import asyncio
from dataclasses import replace
from http import HTTPStatus
from typing import Generic

from aiohttp import web

from control_units.client import AlreadyExists, ClientError
from webui.datasets.declaration import changed_fields
from webui.datasets.drawing import Drawing, Place
from webui.datasets.edited import Edited, R
from webui.datasets.editing import REDRAW
from webui.datasets.form import Form
from webui.datasets.problem import Problem
from webui.datasets.server_edited import EditedServers
from webui.datasets.template_edited import EditedTemplates
from webui.datasets.texts import Misread
from webui.datasets.unit_edited import EditedUnits
from webui.names import page_of
from webui.site import READ_SECONDS, Site
from webui.translation import _

ID = "id"
COMPARE = "compare"


def routes(site: Site) -> list[web.RouteDef]:
    return [
        *_routes(CreatePages(site, EditedUnits(site.client)), EditedUnits.collection),
        *_routes(CreatePages(site, EditedServers(site.client)), EditedServers.collection),
        *_routes(CreatePages(site, EditedTemplates(site.client)), EditedTemplates.collection),
    ]


def _routes(pages: "CreatePages[R]", collection: str) -> list[web.RouteDef]:
    return [web.get(f"/{collection}/new", pages.new), web.post(f"/{collection}/new", pages.create)]


class CreatePages(Generic[R]):
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site, edited: Edited[R]) -> None:
        self._site = site
        self._edited = edited
        self._drawing = Drawing(site, edited)

    async def new(self, request: web.Request) -> web.Response:
        """`GET /control_units/new?template=PS`, or `?like=RING/MAG/Q1`: a copy of another one."""
        self._site.require(self._edited.update)
        like = request.query.get("like", "")
        given = {name: text for name, text in request.query.items() if self._is_field(name)}
        try:
            async with asyncio.timeout(READ_SECONDS):
                base = await self._base(like, "")
                form = Form.of(base, {ID: like, **self._edited.fields_of(base), **given})
                return await self._drawing.form(self._place(like), base, form)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)

    async def create(self, request: web.Request) -> web.Response:
        """`POST /control_units/new`: leads to the new one, or shows what stands against it."""
        posted = await request.post()
        form = Form.sent(posted.items(), self._is_field)
        place = self._place(str(posted.get("like", "")))
        try:
            async with asyncio.timeout(READ_SECONDS):
                base = await self._base(place.like, form.revision)
                before = self._edited.fields_of(base)
                form = form.upon(before)
                if COMPARE in posted:
                    return await self._compared(base, form)
        except (ClientError, TimeoutError) as failure:
            return self._drawing.rescue(place, form, failure)
        if REDRAW in posted:
            return await self._drawing.redraw(place, base, form, str(posted[REDRAW]))
        typed = changed_fields(before, _without_id(form).fields)
        try:
            sent, _mask = self._edited.changed(base, form, typed)
        except Misread as wrong:
            return await self._drawing.again(place, base, form, failure=wrong)
        sent.name = f"{self._edited.collection}/{form.fields.get(ID, '')}"
        try:
            async with asyncio.timeout(READ_SECONDS):
                created = await self._edited.create(sent, form)
        except AlreadyExists:
            return await self._exists(place, base, form)
        except (ClientError, TimeoutError) as failure:
            return await self._drawing.again(place, base, form, failure=failure, sent=sent)
        raise web.HTTPSeeOther(f"{page_of(created.name)}?saved={created.revision}")

    async def _exists(self, place: Place, base: R, form: Form) -> web.Response:
        """The form, with a way to what is there under its id."""
        told = Problem(ID, _("There is one of this id already: choose another, or compare."))
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await self._drawing.form(
                    replace(place, there=form.fields.get(ID, "")),
                    base,
                    form,
                    problems=[told],
                    status=HTTPStatus.CONFLICT,
                )
        except (ClientError, TimeoutError) as failure:
            return self._drawing.rescue(place, form, failure)

    async def _compared(self, base: R, form: Form) -> web.Response:
        """What was typed beside what is there under that id, which it becomes a change of."""
        now = await self._edited.read(form.fields.get(ID, ""))
        mine = _without_id(form)
        typed = {**self._edited.fields_of(base), **mine.fields}
        return self._drawing.conflict(base, replace(mine, fields=typed), now, None)

    async def _base(self, like: str, revision: str) -> R:
        return self._edited.fresh(await self._edited.read(like, revision) if like else None)

    def _is_field(self, path: str) -> bool:
        return path == ID or self._edited.is_field(path)

    def _place(self, like: str) -> Place:
        name = f"{self._edited.collection}/new"
        return Place(name, f"/{name}", is_new=True, like=like)


def _without_id(form: Form) -> Form:
    return replace(form, fields={path: text for path, text in form.fields.items() if path != ID})
