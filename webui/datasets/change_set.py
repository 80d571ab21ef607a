"""The page of one change set: who changed what, when and why."""

import asyncio
from datetime import UTC, datetime

from aiohttp import web
from mds.v1.history_pb2 import Change, ChangeAction, GetChangeSetRequest, ListChangesRequest

from control_units.client import ClientError
from webui.clock import moment
from webui.datasets.just_made import is_of_now, just_made
from webui.datasets.plan import Item
from webui.names import id_of, page_of
from webui.past_time import time_of
from webui.site import READ_SECONDS, Site
from webui.translation import _, gettext_noop

# Resources that are shown.
MOST_SHOWN = 200
ACTIONS = {
    ChangeAction.CHANGE_ACTION_CREATED: gettext_noop("created"),
    ChangeAction.CHANGE_ACTION_UPDATED: gettext_noop("changed"),
    ChangeAction.CHANGE_ACTION_DELETED: gettext_noop("deleted"),
}


def routes(site: Site) -> list[web.RouteDef]:
    return [web.get("/change_sets/{revision:[0-9]+}", ChangeSetPages(site).change_set)]


class ChangeSetPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._history = site.client.history

    async def change_set(self, request: web.Request) -> web.Response:
        """`GET /change_sets/{revision}`; `?saved=1` or `import`: it has just been made. As
        of a moment before it, it is not there."""
        name = f"change_sets/{request.match_info['revision']}"
        try:
            async with asyncio.timeout(READ_SECONDS):
                then, change_set, changes = await asyncio.gather(
                    time_of(self._site.client, self._site.as_of),
                    self._history.GetChangeSet(GetChangeSetRequest(name=name)),
                    self._history.ListChanges(
                        ListChangesRequest(change_set=name, page_size=MOST_SHOWN)
                    ),
                )
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        if then and change_set.time.ToDatetime(tzinfo=UTC) > then:
            return self._site.missing()
        context = {
            "page": page_of(name),
            "change_set": change_set,
            "time": moment(change_set.time, today=datetime.now(UTC)),
            "saved": request.query.get("saved") in ("1", "import") and is_of_now(change_set),
            "undone": await just_made(self._site, request, "undone"),
            "items": [item_of(change) for change in changes.changes],
            "more": bool(changes.next_page_token),
        }
        return self._site.page("datasets/change_set.html", context)


def item_of(change: Change) -> Item:
    return Item(
        name=change.name,
        id=id_of(change.name),
        page=page_of(change.name),
        action=_(ACTIONS.get(change.action, "?")),
        differences=tuple(change.differences),
        is_running=False,
        last_author="",
    )
