"""Control units, as a form edits them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.control_unit_pb2 import (
    ControlUnit,
    ExplainConfigurationRequest,
    GetConfigurationRequest,
    UpdateControlUnitRequest,
)
from mds.v1.template_pb2 import GetTemplateRequest

from control_units.client import Client
from webui.datasets import declaration
from webui.datasets.dataset import Dataset, dataset_of
from webui.datasets.form import Form
from webui.datasets.problem import Problem
from webui.translation import _


class EditedUnits:
    """See `Edited`."""

    collection = "control_units"
    template = "datasets/edit.html"

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def title(self) -> str:
        return _("Edit control unit")

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

    async def surroundings(self, unit: ControlUnit) -> dict[str, object]:
        return {"dataset": await dataset_for(self._client, unit)}


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
