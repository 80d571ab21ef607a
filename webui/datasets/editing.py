"""Editing what is declared, by a form. Nothing that was typed is lost, whatever the server says."""

import asyncio
from typing import Generic

from aiohttp import web

from control_units.client import ClientError, NotFound, Stale
from webui.datasets.declaration import changed_fields
from webui.datasets.drawing import Drawing, Place
from webui.datasets.edited import Edited, R
from webui.datasets.form import Form
from webui.datasets.server_edited import EditedServers
from webui.datasets.template_edited import EditedTemplates
from webui.datasets.texts import Misread
from webui.datasets.unit_edited import EditedUnits
from webui.names import id_of, page_of
from webui.site import READ_SECONDS, Site

# A button of the form that has it drawn again, as far as it is filled in.
REDRAW = "redraw"


def routes(site: Site) -> list[web.RouteDef]:
    return [
        *_routes(EditPages(site, EditedUnits(site.client)), EditedUnits.collection),
        *_routes(EditPages(site, EditedServers(site.client)), EditedServers.collection),
        *_routes(EditPages(site, EditedTemplates(site.client)), EditedTemplates.collection),
    ]


def _routes(pages: "EditPages[R]", collection: str) -> list[web.RouteDef]:
    path = f"/{collection}/{{id:.+}}/edit"
    return [web.get(path, pages.edit), web.post(path, pages.save)]


class EditPages(Generic[R]):
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site, edited: Edited[R]) -> None:
        self._site = site
        self._edited = edited
        self._drawing = Drawing(site, edited)

    async def edit(self, request: web.Request) -> web.Response:
        """`GET /{name}/edit`."""
        self._site.require(self._edited.update)
        id = request.match_info["id"]
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await self._edited.read(id)
                form = Form.of(found, self._edited.fields_of(found))
                return await self._drawing.form(self._place(found.name), found, form)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)

    async def save(self, request: web.Request) -> web.Response:
        """`POST /{name}/edit`: leads to the resource, or shows what stands against it."""
        posted = await request.post()
        place = self._place(f"{self._edited.collection}/{request.match_info['id']}")
        form = Form.sent(posted.items(), self._edited.is_field)
        try:
            async with asyncio.timeout(READ_SECONDS):
                base = await self._edited.read(id_of(place.name), form.revision)
        except (ClientError, TimeoutError) as failure:
            return self._drawing.rescue(place, form, failure)
        before = self._edited.fields_of(base)
        form = form.upon(before)
        if REDRAW in posted:
            return await self._drawing.redraw(place, base, form, str(posted[REDRAW]))
        typed = changed_fields(before, form.fields)
        try:
            sent, mask = self._edited.changed(base, form, typed)
        except Misread as wrong:
            return await self._drawing.again(place, base, form, failure=wrong)
        try:
            async with asyncio.timeout(READ_SECONDS):
                saved = await self._edited.write(sent, mask, form) if mask else base
        except (ClientError, TimeoutError) as failure:
            return await self._refused(place, form, base, sent, failure)
        query = f"?saved={saved.revision}" if saved.revision > base.revision else ""
        raise web.HTTPSeeOther(page_of(saved.name) + query)

    def _place(self, name: str) -> Place:
        return Place(name, f"{page_of(name)}/edit")

    async def _refused(
        self, place: Place, form: Form, base: R, sent: R, failure: ClientError | TimeoutError
    ) -> web.Response:
        try:
            async with asyncio.timeout(READ_SECONDS):
                if isinstance(failure, Stale):
                    now = await self._edited.read(id_of(place.name))
                    return self._drawing.conflict(base, form, now, failure)
        except NotFound as deleted:
            failure = deleted
        except (ClientError, TimeoutError) as second:
            return self._drawing.rescue(place, form, second)
        if isinstance(failure, NotFound) and not failure.violations:
            return self._drawing.gone(place, form)
        return await self._drawing.again(place, base, form, failure=failure, sent=sent)
