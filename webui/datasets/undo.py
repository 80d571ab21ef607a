"""Taking a change set back: at once after an edit, or later from the history with its plan."""

import asyncio

from aiohttp import web
from mds.v1.history_pb2 import GetChangeSetRequest, UndoRequest

from control_units.client import ClientError
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.plan import planned_items
from webui.names import local_page, page_of
from webui.site import READ_SECONDS, Site


def routes(site: Site) -> list[web.RouteDef]:
    pages = UndoPages(site)
    return [
        web.get("/change_sets/{revision:[0-9]+}/undo", pages.plan),
        web.post("/change_sets/{revision:[0-9]+}/undo", pages.undo),
    ]


class UndoPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def plan(self, request: web.Request) -> web.Response:
        """`GET /change_sets/{revision}/undo`: what would be taken back."""
        name = f"change_sets/{request.match_info['revision']}"
        back = local_page(request.query.get("back", ""))
        try:
            async with asyncio.timeout(READ_SECONDS):
                change_set = await self._client.history.GetChangeSet(GetChangeSetRequest(name=name))
                planned = await self._client.history.Undo(
                    UndoRequest(name=name, validate_only=True, request_id=new_request_id())
                )
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        context = {
            "page": page_of(name),
            "change_set": change_set,
            "back": back,
            "request_id": new_request_id(),
            "items": planned_items(planned.results),
        }
        return self._site.page("datasets/undo.html", context)

    async def undo(self, request: web.Request) -> web.Response:
        """`POST /change_sets/{revision}/undo`: leads back to where the change was seen."""
        name = f"change_sets/{request.match_info['revision']}"
        posted = await request.post()
        back = local_page(str(posted.get("back", "")))
        try:
            async with asyncio.timeout(READ_SECONDS):
                undone = await self._client.history.Undo(
                    UndoRequest(
                        name=name,
                        request_id=str(posted.get("request_id", "")) or new_request_id(),
                        reason=str(posted.get("reason", "")),
                    )
                )
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        raise web.HTTPSeeOther(f"{back}?undone={undone.position.revision}")
