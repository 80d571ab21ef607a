"""Giving a control unit another id: its history, life and status stay with it."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web
from mds.v1.control_unit_pb2 import RenameControlUnitRequest

from control_units.client import ClientError, Refused
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.problem import field_of
from webui.names import page_of
from webui.refusals import told
from webui.site import READ_SECONDS, Site, can_be_mended


def routes(site: Site) -> list[web.RouteDef]:
    pages = RenamePages(site)
    path = "/control_units/{id:.+}/rename"
    return [web.get(path, pages.form), web.post(path, pages.rename)]


class RenamePages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._units = site.client.control_units

    async def form(self, request: web.Request) -> web.Response:
        """`GET /control_units/{id}/rename`."""
        self._site.require("ControlUnits.RenameControlUnit")
        id = request.match_info["id"]
        return await self._form(id, {})

    async def rename(self, request: web.Request) -> web.Response:
        """`POST /control_units/{id}/rename`: leads to its page under the new id."""
        id = request.match_info["id"]
        posted = await request.post()
        texts = {name: str(value).strip() for name, value in posted.items()}
        try:
            async with asyncio.timeout(READ_SECONDS):
                renamed = await self._units.RenameControlUnit(
                    RenameControlUnitRequest(
                        name=f"control_units/{id}",
                        new_name=f"control_units/{texts.get('new_id', '')}",
                        etag=texts.get("etag", ""),
                        request_id=texts.get("request_id") or new_request_id(),
                        reason=texts.get("reason", ""),
                    )
                )
        except Refused as refused:
            if not can_be_mended(refused):
                return again(self._site, request.path, posted.items(), refused)
            return await self._form(id, texts, problem=told(refused), field=field_of(refused))
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        raise web.HTTPSeeOther(f"{page_of(renamed.name)}?saved={renamed.revision}")

    async def _form(
        self, id: str, texts: Mapping[str, str], *, problem: str = "", field: str = ""
    ) -> web.Response:
        try:
            async with asyncio.timeout(READ_SECONDS):
                unit = await self._units.get(id)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        context: dict[str, object] = {
            "id": id,
            "page": page_of(unit.name),
            "new_id": texts.get("new_id", id),
            "etag": unit.etag,
            "reason": texts.get("reason", ""),
            "problem": problem,
            "field": field,
            "request_id": new_request_id(),
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("datasets/rename.html", context, status=status)
