"""Editing what is declared, by a form. Nothing that was typed is lost, whatever the server says."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Generic

from aiohttp import web

from control_units.client import ClientError, NotFound, Refused, Stale
from webui.datasets.declaration import changed_fields
from webui.datasets.drawing import Drawing, Place
from webui.datasets.edited import Edited, R
from webui.datasets.form import Form, new_request_id
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


@dataclass(frozen=True, slots=True)
class Edit(Generic[R]):
    """A change on its way.

    Attributes:
        base: as it was read.
        sent: as it shall be, with the etag that was read.
        mask: what of it is sent.
    """

    base: R
    sent: R
    mask: Sequence[str]


class EditPages(Generic[R]):
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site, edited: Edited[R]) -> None:
        self._site = site
        self._edited = edited
        self._drawing = Drawing(site, edited)

    async def edit(self, request: web.Request) -> web.Response:
        """`GET /{name}/edit`."""
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
        name = f"{self._edited.collection}/{request.match_info['id']}"
        form = Form.sent(posted.items(), self._edited.is_field)
        base: R | None = None
        edit: Edit[R] | None = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                base = await self._edited.read(id_of(name), form.revision)
                if REDRAW in posted:
                    return await self._drawing.form(self._place(name), base, form)
                typed = changed_fields(self._edited.fields_of(base), form.fields)
                edit = Edit(base, *self._edited.changed(base, form, typed))
                saved = await self._written(edit, form)
        except Misread as wrong:
            return await self._again(name, form, base, self._drawing.problems(wrong, None))
        except (ClientError, TimeoutError) as failure:
            return await self._refused(name, form, edit, failure)
        written = saved.revision > edit.base.revision
        query = f"?saved={saved.revision}" if written else ""
        raise web.HTTPSeeOther(page_of(saved.name) + query)

    def _place(self, name: str) -> Place:
        return Place(name, f"{page_of(name)}/edit")

    async def _written(self, edit: Edit[R], form: Form) -> R:
        if not edit.mask:
            return edit.base
        return await self._edited.write(edit.sent, edit.mask, form)

    async def _refused(
        self, name: str, form: Form, edit: Edit[R] | None, failure: ClientError | TimeoutError
    ) -> web.Response:
        try:
            async with asyncio.timeout(READ_SECONDS):
                if isinstance(failure, Stale) and edit is not None:
                    now = await self._edited.read(id_of(name))
                    return self._drawing.conflict(edit.base, form, now, failure)
                if isinstance(failure, NotFound) and not failure.violations:
                    return self._drawing.gone(self._place(name), form)
        except (ClientError, TimeoutError) as second:
            failure = second
        if isinstance(failure, Refused) and not failure.is_transient and edit is not None:
            told = self._drawing.problems(failure, edit.sent)
            return await self._again(name, form, edit.base, told, failure)
        return self._drawing.rescue(self._place(name), form, failure)

    async def _again(
        self,
        name: str,
        form: Form,
        base: R | None,
        problems: Sequence[Problem],
        failure: ClientError | TimeoutError | None = None,
    ) -> web.Response:
        """The form with what is wrong; what is sent next is another intent."""
