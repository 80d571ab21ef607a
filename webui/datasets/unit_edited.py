"""Control units, as a form edits them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.configuration_pb2 import Configuration
from mds.v1.control_unit_pb2 import (
    ControlUnit,
    CreateControlUnitRequest,
    ExplainConfigurationRequest,
    GetConfigurationRequest,
    GetControlUnitStatusRequest,
    UpdateControlUnitRequest,
)
from mds.v1.state_pb2 import CONTACT_LOST, STATE_RUNNING
from mds.v1.template_pb2 import GetTemplateRequest, Template, VersionState

from control_units.client import Client, NotFound
from webui import vocabulary
from webui.datasets import declaration
from webui.datasets.dataset import Dataset, dataset_of, dataset_of_template, with_strangers
from webui.datasets.form import Form
from webui.datasets.problem import Problem
from webui.datasets.slots import DRIVERS, drawn_keys, new_keys
from webui.datasets.texts import put_text, without
from webui.translation import _

# What nobody wants of a new unit, though it is made like another one.
_OF_ITS_OWN = ("etag", "create_time", "update_time", "generation", "desired_state", "recover_count")
DESIRABLE = ("RUNNING", "STOPPED", "INITIALIZED", "LOADED", "UNLOADED")


class EditedUnits:
    """See `Edited`."""

    collection = "control_units"
    template = "datasets/edit.html"
    update = "ControlUnits.UpdateControlUnit"

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def title(self) -> str:
        return _("Edit control unit")

    @property
    def new_title(self) -> str:
        return _("New control unit")

    def is_field(self, path: str) -> bool:
        return declaration.is_field(path)

    def words_of(self, path: str) -> str:
        return declaration.words_of(path)

    def fields_of(self, unit: ControlUnit) -> dict[str, str]:
        return declaration.fields_of(unit)

    def changed(
        self, base: ControlUnit, form: Form, changed: Mapping[str, str]
    ) -> tuple[ControlUnit, Sequence[str]]:
        unit = ControlUnit()
        unit.CopyFrom(base)
        unit.etag = form.etag
        return unit, declaration.declare(unit, changed)

    def problem_of(self, field: str, description: str, sent: ControlUnit) -> Problem:
        return declaration.problem_of(field, description, sent)

    def fresh(self, like: ControlUnit | None) -> ControlUnit:
        return without(like, _OF_ITS_OWN) if like else ControlUnit()

    async def read(self, id: str, as_of: str = "") -> ControlUnit:
        return await self._client.control_units.get(id, as_of=as_of)

    async def write(self, unit: ControlUnit, mask: Sequence[str], form: Form) -> ControlUnit:
        return await self._client.control_units.UpdateControlUnit(
            UpdateControlUnitRequest(
                control_unit=unit,
                update_mask=FieldMask(paths=mask),
                request_id=form.request_id,
                reason=form.reason,
            )
        )

    async def create(self, unit: ControlUnit, form: Form) -> ControlUnit:
        return await self._client.control_units.CreateControlUnit(
            CreateControlUnitRequest(
                control_unit=unit, request_id=form.request_id, reason=form.reason
            )
        )

    async def surroundings(self, unit: ControlUnit, form: Form) -> dict[str, object]:
        """Fields as they are of the template that stands in the form."""
        asked = ControlUnit()
        for path in ("template", "template_version"):
            collection = declaration.PLAIN.collections.get(path, "")
            put_text(asked, path, form.fields.get(path, ""), collection=collection)
        template = await self._template(asked)
        same = ("template", "template_version")
        if template is None:
            dataset = Dataset((), ())
        elif unit.etag and all(getattr(unit, each) == getattr(asked, each) for each in same):
            dataset = await dataset_for(self._client, unit)
        else:
            dataset = dataset_of_template(template, datetime.now(UTC))
        known = [*template.drivers, *template.alternative_drivers] if template else []
        return {
            "is_running": bool(unit.etag) and await self._is_running(unit),
            "running": vocabulary.state(STATE_RUNNING),
            "dataset": with_strangers(dataset, form.fields),
            "chosen_template": template,
            "versions": published_versions(template) if template else [],
            "desirable": DESIRABLE,
            "drivers": [*drawn_keys(unit, DRIVERS, form.fields), *new_keys(form.fields, DRIVERS)],
            "known_drivers": sorted({each.name for each in known}),
            "template_drivers": [each.name for each in template.drivers] if template else [],
            "driver_slots": DRIVERS,
        }

    async def _is_running(self, unit: ControlUnit) -> bool:
        name = unit.name.replace("control_units/", "control_unit_statuses/", 1)
        status = await self._client.control_units.GetControlUnitStatus(
            GetControlUnitStatusRequest(name=name)
        )
        return status.state == STATE_RUNNING and status.contact != CONTACT_LOST

    async def _template(self, asked: ControlUnit) -> Template | None:
        """None: there is none, or none has been said."""
        if not asked.template:
            return None
        try:
            newest = await self._client.templates.GetTemplate(
                GetTemplateRequest(name=asked.template)
            )
            number = asked.template_version or next(iter(published_versions(newest)), 0)
            if number in (0, newest.version):
                return newest
            shown = await self._client.templates.GetTemplate(
                GetTemplateRequest(name=asked.template, version=number)
            )
        except NotFound:
            return None
        del shown.versions[:]
        shown.versions.extend(newest.versions)
        return shown


def published_versions(template: Template) -> list[int]:
    """Those that a unit may begin to use, newest first."""
    return [
        mark.version
        for mark in reversed(template.versions)
        if mark.version_state == VersionState.VERSION_STATE_PUBLISHED
    ]


async def dataset_for(client: Client, unit: ControlUnit) -> Dataset:
    """What the unit uses, with where each value comes from."""
    return (await configuration_for(client, unit))[1]


async def configuration_for(
    client: Client, unit: ControlUnit, *, as_of: str = ""
) -> tuple[Configuration, Dataset]:
    """What the unit uses, or used at a moment; and as a table, with where each value comes from."""
    units = client.control_units
    configuration, explanation = await asyncio.gather(
        units.GetConfiguration(GetConfigurationRequest(name=unit.name, as_of=as_of)),
        units.ExplainConfiguration(ExplainConfigurationRequest(name=unit.name, as_of=as_of)),
    )
    template = await client.templates.GetTemplate(
        GetTemplateRequest(name=configuration.template, version=configuration.template_version)
    )
    return configuration, dataset_of(configuration, explanation, template, datetime.now(UTC))
