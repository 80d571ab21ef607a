"""Taking a change set back: at once after an edit, or later from the history with its plan."""

import asyncio
import re
from http import HTTPStatus

from aiohttp import web
from mds.v1.bundle_pb2 import ItemAction, Problem
from mds.v1.history_pb2 import GetChangeSetRequest, UndoRequest

from control_units.client import ClientError, Invalid, Precondition, Stale
from webui.datasets.again import again
from webui.datasets.bulk import WRITE_SECONDS
from webui.datasets.form import new_request_id
from webui.datasets.plan import planned_items
from webui.datasets.problem import field_of
from webui.names import id_of, local_page, page_of
from webui.planning import LOOKED_AT
from webui.refusals import in_words, told
from webui.site import Site
from webui.translation import _

# A message names its resource; that stands beside it.
_OF_WHICH = re.compile(r" \(of '[^']*'\)")
REMOVED = ItemAction.ITEM_ACTION_REMOVED
# Of what would be taken back.
MOST_SHOWN = 200


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
        self._site.require("History.Undo")
        name = f"change_sets/{request.match_info['revision']}"
        return await self._plan(name, local_page(request.query.get("back", "")))

    async def undo(self, request: web.Request) -> web.Response:
        """`POST /change_sets/{revision}/undo`: leads back to where the change was seen."""
        name = f"change_sets/{request.match_info['revision']}"
        posted = await request.post()
        back = local_page(str(posted.get("back", "")))
        reason = str(posted.get("reason", ""))
        # What was drawn with a number: the button right after an edit has none.
        asked, typed = str(posted.get("count", "")), str(posted.get("typed_count", ""))
        if asked and typed.strip() != asked:
            wrong = _("Type the number of what it is about.")
            return await self._plan(name, back, reason=reason, refused=wrong, field="typed_count")
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                undone = await self._client.history.Undo(
                    UndoRequest(
                        name=name,
                        request_id=str(posted.get("request_id", "")) or new_request_id(),
                        reason=reason,
                        skip_invalid=posted.get("rest") == "1",
                    ),
                    timeout=WRITE_SECONDS,
                )
        except (Stale, Precondition, Invalid) as refused:
            field = field_of(refused)
            return await self._plan(name, back, reason=reason, refused=told(refused), field=field)
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        if not undone.count:
            there = _("What it changed is as it was before already.")
            return await self._plan(name, back, reason=reason, refused=there)
        revision = undone.position.revision
        gone = {page_of(each.name) for each in undone.results if each.action == REMOVED}
        # The overview says nothing of it: an address that was typed or sent names no page.
        page = f"/change_sets/{revision}" if back in {"/", *gone} else back
        raise web.HTTPSeeOther(f"{page}?undone={revision}")

    async def _plan(
        self, name: str, back: str, *, reason: str = "", refused: str = "", field: str = ""
    ) -> web.Response:
        """What would be taken back; where somebody else has changed some of it since, the rest.

        Args:
            refused: why nothing of it has just been taken back.
            field: that this is about.
        """
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                change_set = await self._client.history.GetChangeSet(GetChangeSetRequest(name=name))
                planned = await self._client.history.Undo(
                    UndoRequest(
                        name=name,
                        validate_only=True,
                        reason=LOOKED_AT,
                        request_id=new_request_id(),
                        skip_invalid=True,
                    ),
                    timeout=WRITE_SECONDS,
                )
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        items = planned_items(
            each for each in planned.results if each.action != ItemAction.ITEM_ACTION_REJECTED
        )
        context: dict[str, object] = {
            "page": page_of(name),
            "change_set": change_set,
            "back": back,
            "reason": reason,
            "refused_at": {field: refused} if field else {},
            "request_id": new_request_id(),
            "items": items[:MOST_SHOWN],
            "count": planned.count,
            "problems": [_told(each) for each in planned.problems],
            "refused": "" if planned.problems or field else refused,
            "was_refused": bool(refused),
        }
        status = HTTPStatus.CONFLICT if refused else HTTPStatus.OK
        return self._site.page("datasets/undo.html", context, status=status)


def _told(problem: Problem) -> tuple[str, str, str]:
    """What cannot be taken back, with its id, and why."""
    why = in_words(problem.reason, _OF_WHICH.sub("", problem.message))
    return problem.name, id_of(problem.name), why
