"""Making a resource what it was: the plan first."""

import asyncio
from http import HTTPStatus

from aiohttp import web
from mds.v1.bundle_pb2 import ItemAction
from mds.v1.history_pb2 import RevertRequest

from control_units.client import ClientError, Refused, Stale
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.history import KINDS, name_in
from webui.datasets.plan import planned_items
from webui.datasets.problem import field_of
from webui.names import id_of, page_of
from webui.planning import LOOKED_AT
from webui.refusals import told
from webui.site import READ_SECONDS, Site


def routes(site: Site) -> list[web.RouteDef]:
    pages = RevertPages(site)
    return [
        *(web.get(f"/{kind}/{{id:.+}}/revert", pages.plan) for kind in KINDS),
        *(web.post(f"/{kind}/{{id:.+}}/revert", pages.revert) for kind in KINDS),
    ]


class RevertPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def plan(self, request: web.Request) -> web.Response:
        """`GET /{name}/revert?to=12`: what would be done."""
        self._site.require("History.Revert")
        return await self._plan(name_in(request), request.query.get("to", ""))

    async def revert(self, request: web.Request) -> web.Response:
        """`POST /{name}/revert`: leads to the resource as it is again."""
        name = name_in(request)
        posted = await request.post()
        texts = {field: str(value) for field, value in posted.items()}
        to, reason = texts.get("to", ""), texts.get("reason", "")
        try:
            async with asyncio.timeout(READ_SECONDS):
                reverted = await self._client.history.Revert(
                    RevertRequest(
                        name=name,
                        as_of=to,
                        etag=texts.get("etag", ""),
                        request_id=texts.get("request_id") or new_request_id(),
                        reason=reason,
                    )
                )
        except Stale:
            return await self._plan(name, to, reason=reason, has_moved=True)
        except (ClientError, TimeoutError) as failure:
            if isinstance(failure, Refused) and field_of(failure):
                return await self._plan(name, to, reason=reason, problem=told(failure))
            return again(self._site, request.path, posted.items(), failure)
        is_changed = reverted.result.action != ItemAction.ITEM_ACTION_UNCHANGED
        query = f"?saved={reverted.position.revision}" if is_changed else ""
        raise web.HTTPSeeOther(page_of(reverted.result.name) + query)

    async def _plan(
        self, name: str, to: str, *, reason: str = "", has_moved: bool = False, problem: str = ""
    ) -> web.Response:
        try:
            async with asyncio.timeout(READ_SECONDS):
                planned = await self._client.history.Revert(
                    RevertRequest(
                        name=name, as_of=to, etag="*", validate_only=True, reason=LOOKED_AT
                    )
                )
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        context = {
            "id": id_of(name),
            "page": page_of(name),
            "to": to,
            "etag": planned.result.etag or "*",
            "request_id": new_request_id(),
            "reason": reason,
            "has_moved": has_moved,
            "problem": problem,
            "items": planned_items([planned.result]),
        }
        status = HTTPStatus.PRECONDITION_FAILED if has_moved else HTTPStatus.OK
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else status
        return self._site.page("datasets/revert.html", context, status=status)
