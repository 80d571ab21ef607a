"""The page of a template: what its versions are, who stands on which, and what may be done."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aiohttp import web
from mds.v1.dataset_pb2 import Attribute
from mds.v1.parameter_pb2 import Parameter
from mds.v1.template_pb2 import (
    GetTemplateRequest,
    ListTemplateVersionsRequest,
    Template,
    VersionMark,
    VersionState,
)

from control_units.client import ClientError
from webui import vocabulary
from webui.clock import moment
from webui.datasets.dataset import range_text
from webui.datasets.form import new_request_id
from webui.datasets.just_made import just_made
from webui.names import id_of, page_of
from webui.site import READ_SECONDS, Site

DRAFT = VersionState.VERSION_STATE_DRAFT
# Of an attribute, besides its value and range.
_MORE = (
    "increment",
    "warning_minimum",
    "warning_maximum",
    "warning_threshold",
    "error_threshold",
    "offset",
    "conversion_factor",
)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """
    Attributes:
        units: that are on it now; None: of the past, of which nobody counts them.
    """

    version: int
    state: str
    units: int | None
    is_draft: bool
    is_deprecated: bool


@dataclass(frozen=True, slots=True)
class SlotRow:
    """An attribute or a parameter.

    Attributes:
        more: what else is said of it: `increment 0.1`.
    """

    name: str
    description: str
    direction: str
    type: str
    unit: str
    default: str
    range: str
    more: str


def routes(site: Site) -> list[web.RouteDef]:
    return [web.get("/templates/{id:.+}", TemplatePages(site).template)]


class TemplatePages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._templates = site.client.templates

    async def template(self, request: web.Request) -> web.Response:
        """`GET /templates/{id}?version=2`; without one, the newest."""
        name = f"templates/{request.match_info['id']}"
        asked = request.query.get("version", "")
        try:
            async with asyncio.timeout(READ_SECONDS):
                shown, newest, rows = await self._read(
                    name, int(asked) if asked.isdecimal() and len(asked) < 9 else 0
                )
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        context = {
            "id": id_of(name),
            "page": page_of(name),
            "template": shown,
            "state": vocabulary.version_state(shown.version_state),
            "changed": moment(shown.update_time, today=datetime.now(UTC)),
            "newest": newest,
            "has_draft": rows[-1].is_draft,
            "versions": list(reversed(rows)),
            "attributes": [slot_row(each) for each in shown.attributes],
            "parameters": [slot_row(each) for each in shown.parameters],
            "saved": await just_made(self._site, request, "saved"),
            "undone": await just_made(self._site, request, "undone"),
            "new_request_id": new_request_id,
        }
        return self._site.page("datasets/template.html", context)

    async def _read(self, name: str, version: int) -> tuple[Template, Template, list[VersionRow]]:
        """The version to show, the newest one, and the rows of all, oldest first."""
        get = GetTemplateRequest(name=name, version=version, as_of=self._site.as_of)
        if self._site.is_past:
            shown = await self._templates.GetTemplate(get)
            return shown, shown, [past_row(each) for each in shown.versions]
        shown, versions = await asyncio.gather(
            self._templates.GetTemplate(get),
            self._templates.ListTemplateVersions(ListTemplateVersionsRequest(name=name)),
        )
        counted = zip(versions.versions, versions.unit_counts, strict=True)
        return shown, versions.versions[-1], [version_row(*each) for each in counted]


def version_row(template: Template, units: int) -> VersionRow:
    return VersionRow(
        version=template.version,
        state=vocabulary.version_state(template.version_state),
        units=units,
        is_draft=template.version_state == DRAFT,
        is_deprecated=template.version_state == VersionState.VERSION_STATE_DEPRECATED,
    )


def past_row(mark: VersionMark) -> VersionRow:
    return replace(
        version_row(Template(version=mark.version, version_state=mark.version_state), 0), units=None
    )


def slot_row(slot: Attribute | Parameter) -> SlotRow:
    is_attribute = isinstance(slot, Attribute)
    more = [
        f"{vocabulary.facet(facet)} {getattr(slot, facet)}"
        for facet in _MORE
        if is_attribute and getattr(slot, facet)
    ]
    return SlotRow(
        name=slot.name,
        description=slot.description,
        direction=vocabulary.direction(slot.direction) if isinstance(slot, Attribute) else "",
        type=vocabulary.value_type(slot.type),
        unit=slot.unit,
        default=slot.default_value,
        range=range_text(slot),
        more=", ".join(more),
    )
