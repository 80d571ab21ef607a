"""Editing what a unit is declared to use. Nothing that was typed is lost, whatever the server says."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.control_unit_pb2 import (
    ControlUnit,
    ExplainConfigurationRequest,
    GetConfigurationRequest,
    UpdateControlUnitRequest,
)
from mds.v1.template_pb2 import GetTemplateRequest

from control_units.client import Client, ClientError, Refused, Stale
from webui.datasets.conflict import choices
from webui.datasets.dataset import Dataset, dataset_of
from webui.datasets.declaration import (
    Problem,
    changed_fields,
    declare,
    fields_of,
    problem_of,
    words_of,
)
from webui.datasets.form import Form, by_path, new_request_id
from webui.names import id_of, page_of
from webui.site import READ_SECONDS, Site, explain


def routes(site: Site) -> list[web.RouteDef]:
    pages = EditPages(site)
    return [
        web.get("/control_units/{id:.+}/edit", pages.edit),
        web.post("/control_units/{id:.+}/edit", pages.save),
    ]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change on its way.

    Attributes:
        unit: as it shall be, with the etag that was read.
        mask: what of it is sent.
    """

    base: ControlUnit
    unit: ControlUnit
    mask: Sequence[str]


class EditPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def edit(self, request: web.Request) -> web.Response:
        """`GET /control_units/{id}/edit`."""
        id = request.match_info["id"]
        try:
            async with asyncio.timeout(READ_SECONDS):
                unit = await self._client.control_units.get(id)
                return await self._form(unit, Form.of(unit))
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)

    async def save(self, request: web.Request) -> web.Response:
        """`POST /control_units/{id}/edit`: leads to the unit, or shows what stands against it."""
        id = request.match_info["id"]
        form = Form.sent((await request.post()).items())
        edit: Edit | None = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                edit = await self._planned(id, form)
                saved = await self._written(edit, form)
        except (ClientError, TimeoutError) as failure:
            return await self._refused(id, form, edit, failure)
        written = saved.revision > edit.base.revision
        query = f"?saved={saved.revision}" if written else ""
        raise web.HTTPSeeOther(page_of(saved.name) + query)

    async def _planned(self, id: str, form: Form) -> Edit:
        """Only what differs from what was read is changed."""
        base = await self._client.control_units.get(id, as_of=form.revision)
        unit = ControlUnit()
        unit.CopyFrom(base)
        unit.etag = form.etag
        return Edit(base, unit, declare(unit, changed_fields(fields_of(base), form.fields)))

    async def _written(self, edit: Edit, form: Form) -> ControlUnit:
        if not edit.mask:
            return edit.base
        return await self._client.control_units.UpdateControlUnit(
            UpdateControlUnitRequest(
                control_unit=edit.unit,
                update_mask=FieldMask(paths=edit.mask),
                request_id=form.request_id,
                reason=form.reason,
            )
        )

    async def _refused(
        self, id: str, form: Form, edit: Edit | None, failure: ClientError | TimeoutError
    ) -> web.Response:
        try:
            async with asyncio.timeout(READ_SECONDS):
                if isinstance(failure, Stale) and edit is not None:
                    return await self._conflict(edit, form, failure)
                if isinstance(failure, Refused) and not failure.is_transient and edit is not None:
                    return await self._form(
                        edit.base,
                        replace(form, request_id=new_request_id()),
                        _problems(failure, edit),
                    )
        except (ClientError, TimeoutError) as second:
            failure = second
        return self._rescue(id, form, failure)

    async def _form(
        self, unit: ControlUnit, form: Form, problems: Sequence[Problem] = ()
    ) -> web.Response:
        told = by_path(tuple(problems))
        context = {
            "name": unit.name,
            "id": id_of(unit.name),
            "page": page_of(unit.name),
            "form": form,
            "base": fields_of(unit),
            "dataset": await dataset_for(self._client, unit),
            "problems": told,
            "words_of": words_of,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if told else HTTPStatus.OK
        return self._site.page("datasets/edit.html", context, status=status)

    async def _conflict(self, edit: Edit, form: Form, stale: Stale) -> web.Response:
        """Mine, theirs and what both began with; what is chosen is sent with the new etag."""
        now = await self._client.control_units.get(id_of(edit.base.name))
        found = choices(fields_of(edit.base), form.fields, fields_of(now))
        context = {
            "id": id_of(now.name),
            "page": page_of(now.name),
            "form": replace(Form.of(now), reason=form.reason),
            "choices": found,
            "conflict": stale.conflicts[0] if stale.conflicts else None,
        }
        return self._site.page(
            "datasets/conflict.html", context, status=HTTPStatus.PRECONDITION_FAILED
        )

    def _rescue(self, id: str, form: Form, failure: ClientError | TimeoutError) -> web.Response:
        """The form without anything that only the server knows."""
        title, message, status = explain(failure)
        context = {
            "id": id,
            "page": page_of(f"control_units/{id}"),
            "form": form,
            "title": title,
            "message": message,
            "words_of": words_of,
        }
        return self._site.page("datasets/rescue.html", context, status=status)


async def dataset_for(client: Client, unit: ControlUnit, *, as_of: str = "") -> Dataset:
    """What the unit uses, or used at a moment, with where each value comes from."""
    units = client.control_units
    configuration, explanation = await asyncio.gather(
        units.GetConfiguration(GetConfigurationRequest(name=unit.name, as_of=as_of)),
        units.ExplainConfiguration(ExplainConfigurationRequest(name=unit.name, as_of=as_of)),
    )
    template = await client.templates.GetTemplate(
        GetTemplateRequest(name=configuration.template, version=configuration.template_version)
    )
    return dataset_of(configuration, explanation, template, datetime.now(UTC))


def _problems(refused: Refused, edit: Edit) -> list[Problem]:
    found = [problem_of(each.field, each.description, edit.unit) for each in refused.violations]
    return found or [Problem("", f"{refused.message}")]
