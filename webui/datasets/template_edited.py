"""Templates, as a form edits them: always a draft, which nobody uses until it is published."""

from collections.abc import Mapping, Sequence

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.template_pb2 import (
    CreateTemplateRequest,
    Template,
    UpdateTemplateRequest,
    VersionState,
)

from control_units.client import Client
from webui.datasets import template_declaration as declaration
from webui.datasets.form import Form
from webui.datasets.problem import Problem
from webui.datasets.slots import drawn_keys, new_keys
from webui.datasets.texts import without
from webui.translation import _

DRAFT = VersionState.VERSION_STATE_DRAFT
_OF_ITS_OWN = ("etag", "create_time", "update_time", "version", "versions")


class EditedTemplates:
    """See `Edited`."""

    collection = "templates"
    template = "datasets/edit_template.html"
    update = "Templates.UpdateTemplate"

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def title(self) -> str:
        return _("Edit template")

    @property
    def new_title(self) -> str:
        return _("New template")

    def is_field(self, path: str) -> bool:
        return declaration.is_field(path)

    def words_of(self, path: str) -> str:
        return declaration.words_of(path)

    def fields_of(self, template: Template) -> dict[str, str]:
        return declaration.fields_of(template)

    def changed(
        self, base: Template, form: Form, changed: Mapping[str, str]
    ) -> tuple[Template, Sequence[str]]:
        """A published version is left alone: the next one begins as a draft."""
        template = Template()
        template.CopyFrom(base)
        template.etag = form.etag
        mask = declaration.declare(template, changed)
        template.version_state = DRAFT
        return template, [*mask, "version_state"] if mask else []

    def problem_of(self, field: str, description: str, sent: Template) -> Problem:
        return declaration.problem_of(field, description, sent)

    def fresh(self, like: Template | None) -> Template:
        template = without(like, _OF_ITS_OWN) if like else Template()
        template.version_state = DRAFT
        return template

    async def read(self, id: str, as_of: str = "") -> Template:
        return await self._client.templates.get(id, as_of=as_of)

    async def write(self, template: Template, mask: Sequence[str], form: Form) -> Template:
        return await self._client.templates.UpdateTemplate(
            UpdateTemplateRequest(
                template=template,
                update_mask=FieldMask(paths=mask),
                request_id=form.request_id,
                reason=form.reason,
            )
        )

    async def create(self, template: Template, form: Form) -> Template:
        return await self._client.templates.CreateTemplate(
            CreateTemplateRequest(template=template, request_id=form.request_id, reason=form.reason)
        )

    async def surroundings(self, template: Template, form: Form) -> dict[str, object]:
        return {
            "template": template,
            "slots": {slots.field: slots for slots in declaration.SLOTS},
            "keys": {
                slots.field: [
                    *drawn_keys(template, slots, form.fields),
                    *new_keys(form.fields, slots),
                ]
                for slots in declaration.SLOTS
            },
            "enums": declaration.ENUMS,
        }
