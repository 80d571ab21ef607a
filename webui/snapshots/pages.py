"""The page of a snapshot: its values beside those that are set now, intended, or in another one."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import web
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.snapshot_pb2 import (
    ComparisonCounts,
    DeleteSnapshotRequest,
    GetSnapshotRequest,
    ListSnapshotsRequest,
    Snapshot,
    UpdateSnapshotRequest,
)
from multidict import MultiMapping

from control_units.client import ClientError, HistoryGone, Refused, Stale
from webui.clock import moment
from webui.datasets.again import again
from webui.datasets.conflict import choices, conflict_page
from webui.datasets.form import new_request_id, page_after
from webui.datasets.just_made import just_made
from webui.lists.reading import order_of
from webui.names import id_of, page_of
from webui.refusals import told
from webui.site import READ_SECONDS, Site, can_be_mended
from webui.snapshots.comparison import (
    COMPARE_SECONDS,
    LIVE,
    Compared,
    Side,
    compared,
    value_rows,
)
from webui.snapshots.taking import marks_in
from webui.translation import _

ROWS_A_PAGE = 200
# Snapshots that are offered to compare with; the id of any other one can be typed.
MOST_OFFERED = 100


@dataclass(frozen=True, slots=True)
class Looked:
    """How somebody looks at a snapshot.

    Attributes:
        begin: number of the first row.
    """

    side: Side
    only_different: bool
    begin: int

    @classmethod
    def of(cls, query: MultiMapping[str]) -> "Looked":
        begin = query.get("from", "")
        return cls(
            Side(
                other=query.get("with", "").strip() or LIVE,
                tolerance=query.get("tolerance", "").strip(),
                group=query.get("group", "").strip(),
            ),
            only_different=query.get("all", "") != "1",
            begin=int(begin) if begin.isascii() and begin.isdecimal() and len(begin) < 9 else 0,
        )

    def query(self, **more: str) -> str:
        told = {
            "with": self.side.other,
            "tolerance": self.side.tolerance,
            "group": self.side.group,
            "all": "" if self.only_different else "1",
            **more,
        }
        return urlencode({key: value for key, value in told.items() if value})


def routes(site: Site) -> list[web.RouteDef]:
    pages = SnapshotPages(site)
    return [
        web.post("/snapshots/{id:.+}/delete", pages.delete),
        web.post("/snapshots/{id:.+}/edit", pages.save),
        web.get("/snapshots/compare", pages.compare),
        web.get("/snapshots/{id:.+}", pages.snapshot),
    ]


class SnapshotPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client
        self._snapshots = site.client.snapshots

    async def snapshot(self, request: web.Request) -> web.Response:
        """`GET /snapshots/{id}?with=live&tolerance=1%25&group=RING/&all=1`."""
        return await self._show(request, {})

    async def compare(self, request: web.Request) -> web.Response:
        """`GET /snapshots/compare?id=…&id=…`: leads to the first beside the second."""
        ids = request.query.getall("id", [])
        if len(ids) != 2:
            message = _("Tick two snapshots in their list, and no more.")
            return self._site.said(
                _("Nothing to compare"), message, status=HTTPStatus.UNPROCESSABLE_ENTITY
            )
        query = urlencode({"with": ids[1]})
        raise web.HTTPSeeOther(f"{page_of(f'snapshots/{ids[0]}')}?{query}")

    async def save(self, request: web.Request) -> web.Response:
        """`POST /snapshots/{id}/edit`: what people think of it; leads back to it."""
        posted = await request.post()
        texts = {name: str(value).strip() for name, value in posted.items()}
        changed = Snapshot(
            name=_name(request),
            etag=texts.get("etag", ""),
            description=texts.get("description", ""),
            marks=marks_in(texts.get("marks", "")),
        )
        try:
            async with asyncio.timeout(READ_SECONDS):
                saved = await self._snapshots.UpdateSnapshot(
                    UpdateSnapshotRequest(
                        snapshot=changed,
                        update_mask=FieldMask(paths=["description", "marks"]),
                        request_id=texts.get("request_id") or new_request_id(),
                        reason=texts.get("reason", ""),
                    )
                )
        except Stale as stale:
            return await self._conflict(request, texts, stale)
        except Refused as refused:
            if not can_be_mended(refused):
                return again(self._site, request.path, posted.items(), refused)
            return await self._show(
                request,
                {**texts, "problem": told(refused)},
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        raise web.HTTPSeeOther(page_after(saved, changed.etag))

    async def delete(self, request: web.Request) -> web.Response:
        """`POST /snapshots/{id}/delete`: leads to the change, from which it can be taken back."""
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        try:
            async with asyncio.timeout(READ_SECONDS):
                deleted = await self._snapshots.DeleteSnapshot(
                    DeleteSnapshotRequest(
                        name=_name(request),
                        etag=texts.get("seen", ""),
                        request_id=texts.get("request_id") or new_request_id(),
                        reason=texts.get("reason", ""),
                    )
                )
        except Stale:
            problem = _(
                "Nothing was deleted: somebody else changed it meanwhile. Look at what it is now, "
                "and delete it again if you still want to."
            )
            return await self._show(
                request, {"problem": problem}, status=HTTPStatus.PRECONDITION_FAILED
            )
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        raise web.HTTPSeeOther(f"/change_sets/{deleted.position.revision}?saved=1")

    async def _conflict(
        self, request: web.Request, texts: Mapping[str, str], stale: Stale
    ) -> web.Response:
        """What was typed beside what somebody else has written meanwhile, and what both read."""
        name = _name(request)
        try:
            async with asyncio.timeout(READ_SECONDS):
                now = await self._get(name)
                try:
                    read = await self._get(name, as_of=texts.get("revision", ""))
                except HistoryGone:
                    read = now
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, texts.items(), failure, written=False)
        theirs, words = _texts_of(now), _words()
        mine = {
            "description": texts.get("description", ""),
            "marks": " ".join(marks_in(texts.get("marks", ""))),
        }
        found = choices(_texts_of(read), mine, theirs, words_of=words.__getitem__)
        chosen = {each.path for each in found}
        rest = {field: text for field, text in theirs.items() if field not in chosen}
        reason = texts.get("reason", "")
        return conflict_page(self._site, now, found, reason, stale=stale, rest=rest)

    async def _show(
        self, request: web.Request, typed: Mapping[str, str], *, status: int = HTTPStatus.OK
    ) -> web.Response:
        looked = Looked.of(request.query)
        try:
            async with asyncio.timeout(COMPARE_SECONDS):
                context = await self._read(_name(request), looked)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        snapshot = context["snapshot"]
        assert isinstance(snapshot, Snapshot)
        context |= {
            "description": typed.get("description", snapshot.description),
            "marks": typed.get("marks", " ".join(snapshot.marks)),
            # What was typed stays upon what it was typed upon.
            "etag": typed.get("etag", snapshot.etag),
            "revision": typed.get("revision", str(snapshot.revision)),
            "reason": typed.get("reason", ""),
            "problem": typed.get("problem", ""),
            "saved": await just_made(self._site, request, "saved"),
            "undone": await just_made(self._site, request, "undone"),
            "request_id": new_request_id(),
        }
        return self._site.page("snapshots/snapshot.html", context, status=status)

    async def _read(self, name: str, looked: Looked) -> dict[str, object]:
        snapshot, listed = await asyncio.gather(
            self._get(name, as_of=self._site.as_of),
            self._snapshots.ListSnapshots(
                ListSnapshotsRequest(page_size=MOST_OFFERED, order_by=order_of("-created"))
            ),
        )
        both, wrong = await self._compared(name, looked)
        rows = value_rows(
            snapshot,
            both,
            looked.side,
            only_different=looked.only_different and not (wrong or self._site.as_of),
        )
        shown = rows[looked.begin : looked.begin + ROWS_A_PAGE]
        more = looked.begin + ROWS_A_PAGE < len(rows)
        return {
            "snapshot": snapshot,
            "id": id_of(name),
            "page": page_of(name),
            "taken": moment(snapshot.taken_time, today=datetime.now(UTC))
            if snapshot.HasField("taken_time")
            else None,
            "values": sum(len(each.values) for each in snapshot.units),
            "looked": looked,
            "counts": both.counts,
            "silent": len(both.silent),
            "rows": shown,
            "count": len(rows),
            "next": looked.query(**{"from": str(looked.begin + ROWS_A_PAGE)}) if more else "",
            "first": looked.query() if looked.begin else "",
            "others": [id_of(each.name) for each in listed.snapshots if each.name != name],
            "wrong": wrong,
        }

    async def _get(self, name: str, *, as_of: str = "") -> Snapshot:
        return await self._snapshots.GetSnapshot(GetSnapshotRequest(name=name, as_of=as_of))

    async def _compared(self, name: str, looked: Looked) -> tuple[Compared, str]:
        """What differs, and why that cannot be said."""
        nothing = Compared({}, ComparisonCounts())
        # With what a snapshot of the past would have differed from then is not known.
        if self._site.as_of:
            return nothing, ""
        try:
            return await compared(self._client, name, looked.side), ""
        except Refused as refused:
            if refused.is_transient:
                raise
            return nothing, told(refused)


def _texts_of(snapshot: Snapshot) -> dict[str, str]:
    """What people think of it, as they type that."""
    return {"description": snapshot.description, "marks": " ".join(sorted(snapshot.marks))}


def _words() -> dict[str, str]:
    return {"description": _("Description"), "marks": _("Marks")}


def _name(request: web.Request) -> str:
    return f"snapshots/{request.match_info['id']}"
