"""The pages of a unit server and of a control unit: each asks what it needs, and is drawn at once."""

import asyncio
from datetime import UTC, datetime

from aiohttp import web
from mds.v1 import control_unit_pb2, instantiation_pb2, unit_server_pb2

from control_units.client import ClientError
from webui import vocabulary
from webui.clock import moment
from webui.datasets.declaration import fields_of
from webui.datasets.form import Form
from webui.datasets.just_made import just_made
from webui.datasets.unit_edited import configuration_for
from webui.names import id_of, page_of
from webui.operations.verbs import orders_for
from webui.past_time import time_of
from webui.site import READ_SECONDS, Site
from webui.units.commands import commands_for
from webui.units.control_unit import control_unit_page
from webui.units.hosted import hosted_statuses
from webui.units.past_lives import as_they_were
from webui.units.rows import unit_rows

# Units shown of a unit server at first, the factor by which "more" adds, and the most.
FIRST_UNITS = 100
MORE_UNITS = 4
MOST_UNITS = 5000
LIVES = 20


def routes(site: Site) -> list[web.RouteDef]:
    pages = UnitPages(site)
    return [
        web.get("/unit_servers/{id:.+}", pages.unit_server),
        web.get("/control_units/{id:.+}", pages.control_unit),
    ]


class UnitPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def unit_server(self, request: web.Request) -> web.Response:
        """`GET /unit_servers/{id}`, or a fragment of it: `main`, or `units` for the overview."""
        fragment = request.query.get("fragment", "")
        limit = _limit(request.query.get("limit", ""))
        try:
            async with asyncio.timeout(READ_SECONDS):
                context = await self._units(request.match_info["id"], limit)
                if fragment != "units":
                    context |= await self._session(request.match_info["id"])
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=not fragment)
        context["row_prefix"] = "row:" if fragment == "units" else ""
        if fragment == "units":
            return self._site.fragment("units/units.html", context)
        if fragment == "main":
            return self._site.fragment("units/unit_server_main.html", context)
        context |= {
            "saved": await just_made(self._site, request, "saved"),
            "undone": await just_made(self._site, request, "undone"),
        }
        return self._site.page("units/unit_server.html", context)

    async def control_unit(self, request: web.Request) -> web.Response:
        """`GET /control_units/{id}`, or its fragment `main`."""
        name, fragment = f"control_units/{request.match_info['id']}", request.query.get("fragment")
        try:
            async with asyncio.timeout(READ_SECONDS):
                context = await self._control_unit(name)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=not fragment)
        if fragment == "main":
            return self._site.fragment("units/control_unit_main.html", context)
        context |= {
            "saved": await just_made(self._site, request, "saved"),
            "ordered": request.query.get("ordered", ""),
            "undone": await just_made(self._site, request, "undone"),
        }
        return self._site.page("units/control_unit.html", context)

    async def _control_unit(self, name: str) -> dict[str, object]:
        units = self._client.control_units
        status_name = name.replace("control_units/", "control_unit_statuses/", 1)
        as_of = self._site.as_of
        unit = await units.GetControlUnit(
            control_unit_pb2.GetControlUnitRequest(name=name, as_of=as_of)
        )
        status, lives, (configuration, dataset) = await asyncio.gather(
            units.GetControlUnitStatus(
                control_unit_pb2.GetControlUnitStatusRequest(name=status_name, as_of=as_of)
            ),
            self._lives(name, as_of),
            configuration_for(self._client, unit, as_of=as_of),
        )
        page = control_unit_page(
            unit,
            status,
            configuration=configuration,
            lives=lives,
            now=datetime.now(UTC),
        )
        return {
            "unit": page,
            "dataset": dataset,
            "form": Form.of(unit, fields_of(unit)),
            "orders": orders_for(status),
            "commands": commands_for(self._client, name),
        }

    async def _lives(self, name: str, as_of: str) -> list[instantiation_pb2.Instantiation]:
        asked = instantiation_pb2.ListInstantiationsRequest(control_unit=name, page_size=LIVES)
        then = await time_of(self._client, as_of)
        if then is not None:
            asked.until.FromDatetime(then)
        lives = (await self._client.instantiations.ListInstantiations(asked)).instantiations
        return list(lives) if then is None else as_they_were(lives, then)

    async def _units(self, id: str, limit: int) -> dict[str, object]:
        statuses, more = await hosted_statuses(
            self._client, f"unit_servers/{id}", limit, as_of=self._site.as_of
        )
        return {
            "id": id,
            "page": page_of(f"unit_servers/{id}"),
            "rows": unit_rows(statuses, datetime.now(UTC)),
            "more": more,
            "limit": limit,
            "next_limit": min(limit * MORE_UNITS, MOST_UNITS) if limit < MOST_UNITS else 0,
        }

    async def _session(self, id: str) -> dict[str, object]:
        servers, as_of = self._client.unit_servers, self._site.as_of
        status, declared = await asyncio.gather(
            servers.GetUnitServerStatus(
                unit_server_pb2.GetUnitServerStatusRequest(
                    name=f"unit_server_statuses/{id}", as_of=as_of
                )
            ),
            servers.get(id, as_of=as_of),
        )
        now = datetime.now(UTC)
        start = moment(status.start_time, today=now) if status.HasField("start_time") else None
        end = moment(status.end_time, today=now) if status.HasField("end_time") else None
        return {
            "declared": declared,
            "agent": id_of(declared.launch.agent),
            "agent_page": page_of(declared.launch.agent),
            "status": status,
            "contact": vocabulary.contact(status.contact),
            "start": start,
            "end": end,
            "end_reason": vocabulary.end_reason(status.end_reason),
        }


def _limit(text: str) -> int:
    """How many units to show; whatever is no number from 1 to MOST_UNITS is brought there."""
    if not text.isascii() or not text.isdecimal():
        return FIRST_UNITS
    return max(1, min(int(text[:9]), MOST_UNITS))
