"""The past of one resource: on one time axis, compared from a moment to another."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.history_pb2 import CompareRequest, Difference, ListChangesRequest
from mds.v1.instantiation_pb2 import ListInstantiationsRequest, ListInstantiationsResponse
from mds.v1.operation_pb2 import ListOperationsRequest, ListOperationsResponse

from control_units.client import Client, ClientError
from webui.datasets.timeline import oldest_known, timeline
from webui.names import id_of, page_of
from webui.operations.past_operation import as_it_was
from webui.past_time import time_of
from webui.site import READ_SECONDS, Site

# Entries of each kind on one page.
PAGE = 50
KINDS = (
    "control_units",
    "unit_servers",
    "templates",
    "agents",
    "snapshots",
    "maintenances",
)


def routes(site: Site) -> list[web.RouteDef]:
    pages = HistoryPages(site)
    return [
        *(web.get(f"/{kind}/{{id:.+}}/history", pages.history) for kind in KINDS),
        *(web.get(f"/{kind}/{{id:.+}}/compare", pages.compare) for kind in KINDS),
    ]


def name_in(request: web.Request) -> str:
    """The resource that a page is about: `/templates/PS/history` is about `templates/PS`."""
    kind = request.path.split("/")[1]
    return f"{kind}/{request.match_info['id']}"


class HistoryPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def history(self, request: web.Request) -> web.Response:
        """`GET /{name}/history?until=…`: newest first; as of a moment, what had happened by then."""
        name = name_in(request)
        until = _time(request.query.get("until", ""))
        try:
            async with asyncio.timeout(READ_SECONDS):
                context = await self._history(name, until, as_of=self._site.as_of)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        return self._site.page("datasets/history.html", context)

    async def _history(self, name: str, older: datetime | None, *, as_of: str) -> dict[str, object]:
        then = await time_of(self._client, as_of)
        until = min((time for time in (older, then) if time), default=None)
        request = ListChangesRequest(
            name=name, page_size=PAGE, until=older.isoformat() if older else as_of
        )
        changes, lives, operations = await asyncio.gather(
            self._client.history.ListChanges(request),
            lives_of(self._client, name, until),
            operations_of(self._client, name, until),
        )
        since = oldest_known(
            [
                ([each.change_set.time for each in changes.changes], bool(changes.next_page_token)),
                ([each.begin_time for each in lives.instantiations], bool(lives.next_page_token)),
                (
                    [each.create_time for each in operations.operations],
                    bool(operations.next_page_token),
                ),
            ]
        )
        entries = timeline(
            changes.changes,
            lives.instantiations,
            [as_it_was(each, then) if then else each for each in operations.operations],
            since=since,
            until=until,
            today=datetime.now(UTC),
        )
        revisions = [entry.revision for entry in entries if entry.revision]
        return {
            "name": name,
            "id": id_of(name),
            "page": page_of(name),
            "entries": entries,
            "older": entries[-1].at.isoformat() if since and entries else "",
            "newest": revisions[0] if revisions else 0,
            "second": revisions[1] if len(revisions) > 1 else 0,
        }

    async def compare(self, request: web.Request) -> web.Response:
        """`GET /{name}/compare?from=12&to=20`: two columns; `to` empty: the moment that is
        looked at."""
        name, from_, to = (
            name_in(request),
            request.query.get("from", ""),
            request.query.get("to", ""),
        )
        if from_.isdecimal() and to.isdecimal() and int(from_) > int(to):
            from_, to = to, from_
        as_of = self._site.as_of
        try:
            async with asyncio.timeout(READ_SECONDS):
                difference = await self._difference(name, from_, to or as_of)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        context: dict[str, object] = {
            "id": id_of(name),
            "page": page_of(name),
            "from_": from_,
            "to": to,
            "difference": difference,
        }
        return self._site.page("datasets/compare.html", context)

    async def _difference(self, name: str, from_: str, to: str) -> Difference | None:
        # `from` is a word of the language.
        asked: dict[str, Any] = {"from": from_, "to": to, "name": name}
        request = CompareRequest(**asked)
        async for response in self._client.history.Compare(request, timeout=READ_SECONDS):
            for each in response.differences:
                return each
        return None


async def lives_of(client: Client, name: str, until: datetime | None) -> ListInstantiationsResponse:
    """The newest of a unit; what is no unit has none."""
    if not name.startswith("control_units/"):
        return ListInstantiationsResponse()
    request = ListInstantiationsRequest(control_unit=name, page_size=PAGE)
    if until:
        request.until.CopyFrom(_stamp(until))
    return await client.instantiations.ListInstantiations(request)


async def operations_of(
    client: Client, name: str, until: datetime | None
) -> ListOperationsResponse:
    """The newest that have a step for a unit."""
    if not name.startswith("control_units/"):
        return ListOperationsResponse()
    request = ListOperationsRequest(control_unit=name, page_size=PAGE)
    if until:
        request.until.CopyFrom(_stamp(until))
    return await client.operations.ListOperations(request)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _stamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
