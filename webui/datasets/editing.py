"""Editing what is declared, by a form. Nothing that was typed is lost, whatever the server says."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Generic

from aiohttp import web

from control_units.client import ClientError, Refused, Stale
from webui.datasets.conflict import choices
from webui.datasets.declaration import changed_fields
from webui.datasets.edited import Edited, R
from webui.datasets.form import Form, new_request_id
from webui.datasets.problem import Problem, by_path
from webui.datasets.template_edited import EditedTemplates
from webui.datasets.unit_edited import EditedUnits
from webui.names import id_of, page_of
from webui.site import READ_SECONDS, Site, explain


def routes(site: Site) -> list[web.RouteDef]:
    units = EditPages(site, EditedUnits(site.client))
    templates = EditPages(site, EditedTemplates(site.client))
    return [
        web.get("/control_units/{id:.+}/edit", units.edit),
        web.post("/control_units/{id:.+}/edit", units.save),
        web.get("/templates/{id:.+}/edit", templates.edit),
        web.post("/templates/{id:.+}/edit", templates.save),
    ]


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

    async def edit(self, request: web.Request) -> web.Response:
        """`GET /{name}/edit`."""
        id = request.match_info["id"]
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await self._edited.read(id)
                return await self._form(found, self._drawn(found))
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)

    async def save(self, request: web.Request) -> web.Response:
        """`POST /{name}/edit`: leads to the resource, or shows what stands against it."""
        id = request.match_info["id"]
        form = Form.sent((await request.post()).items(), self._edited.is_field)
        edit: Edit[R] | None = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                edit = await self._planned(id, form)
                saved = await self._written(edit, form)
        except (ClientError, TimeoutError) as failure:
            return await self._refused(id, form, edit, failure)
        written = saved.revision > edit.base.revision
        query = f"?saved={saved.revision}" if written else ""
        raise web.HTTPSeeOther(page_of(saved.name) + query)

    def _drawn(self, resource: R) -> Form:
        return Form.of(resource, self._edited.fields_of(resource))

    async def _planned(self, id: str, form: Form) -> Edit[R]:
        """Only what differs from what was read is changed."""
        base = await self._edited.read(id, form.revision)
        typed = changed_fields(self._edited.fields_of(base), form.fields)
        return Edit(base, *self._edited.changed(base, form, typed))

    async def _written(self, edit: Edit[R], form: Form) -> R:
        if not edit.mask:
            return edit.base
        return await self._edited.write(edit.sent, edit.mask, form)

    async def _refused(
        self, id: str, form: Form, edit: Edit[R] | None, failure: ClientError | TimeoutError
    ) -> web.Response:
        try:
            async with asyncio.timeout(READ_SECONDS):
                if isinstance(failure, Stale) and edit is not None:
                    return await self._conflict(edit, form, failure)
                if isinstance(failure, Refused) and not failure.is_transient and edit is not None:
                    return await self._form(
                        edit.base,
                        replace(form, request_id=new_request_id()),
                        self._problems(failure, edit),
                    )
        except (ClientError, TimeoutError) as second:
            failure = second
        return self._rescue(id, form, failure)

    async def _form(
        self, resource: R, form: Form, problems: Sequence[Problem] = ()
    ) -> web.Response:
        told = by_path(problems)
        context: dict[str, object] = {
            "title": self._edited.title,
            "name": resource.name,
            "id": id_of(resource.name),
            "page": page_of(resource.name),
            "form": form,
            "problems": told,
            "words_of": self._edited.words_of,
        }
        context |= await self._edited.surroundings(resource)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if told else HTTPStatus.OK
        return self._site.page(self._edited.template, context, status=status)

    async def _conflict(self, edit: Edit[R], form: Form, stale: Stale) -> web.Response:
        """Mine, theirs and what both began with; what is chosen is sent with the new etag."""
        now = await self._edited.read(id_of(edit.base.name))
        fields_of = self._edited.fields_of
        found = choices(
            fields_of(edit.base), form.fields, fields_of(now), words_of=self._edited.words_of
        )
        context: dict[str, object] = {
            "id": id_of(now.name),
            "page": page_of(now.name),
            "form": replace(self._drawn(now), reason=form.reason),
            "choices": found,
            "conflict": stale.conflicts[0] if stale.conflicts else None,
        }
        return self._site.page(
            "datasets/conflict.html", context, status=HTTPStatus.PRECONDITION_FAILED
        )

    def _rescue(self, id: str, form: Form, failure: ClientError | TimeoutError) -> web.Response:
        """The form without anything that only the server knows."""
        title, message, status = explain(failure)
        name = f"{self._edited.collection}/{id}"
        context: dict[str, object] = {
            "what": self._edited.title,
            "name": name,
            "id": id,
            "page": page_of(name),
            "form": form,
            "title": title,
            "message": message,
            "words_of": self._edited.words_of,
        }
        return self._site.page("datasets/rescue.html", context, status=status)

    def _problems(self, refused: Refused, edit: Edit[R]) -> list[Problem]:
        found = [
            self._edited.problem_of(each.field, each.description, edit.sent)
            for each in refused.violations
        ]
        return found or [Problem("", refused.message)]
