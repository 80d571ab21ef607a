"""Deleting what is declared: whom it hits and what stands against it first, then just that."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import web
from mds.v1.bundle_pb2 import BundleHeader, BundleItem

from control_units.client import ClientError, Refused, Stale
from control_units.client.bundles import Outcome, apply_bundle
from webui.datasets.again import again
from webui.datasets.bulk import WRITE_SECONDS, seen_plan
from webui.datasets.form import new_request_id
from webui.datasets.left_behind import left_behind
from webui.datasets.pieces import Piece, Progress, first_of, pages_of
from webui.datasets.plan import planned_items
from webui.datasets.problem import field_of
from webui.lists.ticked import Ticked, TooMany, too_many
from webui.names import id_of, page_of
from webui.planning import LOOKED_AT, PLAN_SECONDS, being_planned, is_awaited, is_whole
from webui.refusals import told
from webui.selection import Chosen
from webui.site import Site
from webui.translation import _

KINDS = ("control_units", "unit_servers", "templates")
# Of which several are deleted together, besides units.
LISTS = ("unit_servers", "agents", "templates", "snapshots", "policies")
MANY = "/datasets/delete"
APPLY = "Bundles.Apply"
# Deleted as one change, and shown of them. More are deleted in pieces, one change after the other.
MOST = 10_000
MOST_SHOWN = 200


def routes(site: Site) -> list[web.RouteDef]:
    pages = DeletePages(site)
    return [
        *(web.get(f"/{kind}/{{id:.+}}/delete", pages.plan_one) for kind in KINDS),
        *(web.post(f"/{kind}/{{id:.+}}/delete", pages.delete_one) for kind in KINDS),
        web.get(MANY, pages.plan_many),
        web.post(MANY, pages.delete_many),
    ]


class DeletePages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def plan_one(self, request: web.Request) -> web.Response:
        """`GET /{name}/delete`: whom it would hit."""
        self._site.require(APPLY)
        return await self._plan(request.path, _one(request), Chosen((), "", is_all=False))

    async def delete_one(self, request: web.Request) -> web.Response:
        """`POST /{name}/delete`: leads to the change, with its undo."""
        return await self._delete(request, _one(request), Chosen((), "", is_all=False))

    async def plan_many(self, request: web.Request) -> web.Response:
        """`GET /datasets/delete?id=…`, or `?filter=…`; of many it comes when it is fetched. With
        `of=templates` they are no units but of that list."""
        self._site.require(APPLY)
        chosen, whole = _chosen(request.query.items()), is_whole(request)
        if chosen.may_be_many and not is_awaited(request):
            return being_planned(self._site, request, _("Delete"))
        try:
            piece = await self._first_of(chosen)
        except TooMany:
            return too_many(self._site, MOST)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=whole)
        return await self._plan(MANY, piece, chosen, whole=whole)

    async def delete_many(self, request: web.Request) -> web.Response:
        """`POST /datasets/delete`: just the plan that was seen, as one change; leads to the plan
        of the next piece where there are more."""
        posted = await request.post()
        chosen = _chosen(posted.items())
        try:
            piece = await self._first_of(chosen)
        except TooMany:
            return too_many(self._site, MOST)
        except (ClientError, TimeoutError) as failure:
            done = Progress.of(posted.items()).words
            return again(self._site, MANY, posted.items(), failure, written=False, done=done)
        return await self._delete(request, piece, chosen)

    async def _delete(
        self, request: web.Request, piece: Piece, chosen: Chosen | Ticked
    ) -> web.Response:
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        progress = Progress.of(posted.items())
        if progress.changes and not texts.get("plan"):
            return await self._go_on(chosen, progress, texts)
        problem, field = _unconfirmed(texts)
        if problem:
            return await self._plan(
                request.path, piece, chosen, texts=texts, problem=problem, field=field
            )
        header = BundleHeader(
            request_id=texts.get("request_id") or new_request_id(),
            reason=texts.get("reason", ""),
            seen_plan=seen_plan(texts),
        )
        try:
            outcome = await self._outcome(piece.names, header)
        except Stale as moved:
            problem = _("Nothing was deleted. %(why)s") % {"why": told(moved)}
            return await self._plan(request.path, piece, chosen, texts=texts, problem=problem)
        except (ClientError, TimeoutError) as failure:
            problem, field = _told_on_plan(failure)
            if not problem:
                done = progress.words
                return again(self._site, request.path, posted.items(), failure, done=done)
            return await self._plan(
                request.path, piece, chosen, texts=texts, problem=problem, field=field
            )
        if not outcome.summary.applied:
            problem = _("Nothing was deleted.")
            return await self._plan(request.path, piece, chosen, texts=texts, problem=problem)
        revision = outcome.summary.position.revision
        progress = progress.after(outcome.summary.removed, revision)
        if not progress.is_in_pieces:
            raise web.HTTPSeeOther(f"/change_sets/{revision}?saved=1")
        return await self._go_on(chosen, progress, texts)

    async def _go_on(
        self, chosen: Chosen | Ticked, progress: Progress, texts: Mapping[str, str]
    ) -> web.Response:
        """How far it is; with scripts, the next piece follows by itself."""
        try:
            piece = await self._first_of(chosen)
            planned = await self._outcome(
                piece.names, BundleHeader(validate_only=True, reason=LOOKED_AT)
            )
        except (ClientError, TimeoutError) as failure:
            reason = ("reason", texts.get("reason", ""))
            sent = [*chosen.pairs, *progress.pairs, reason]
            return again(self._site, MANY, sent, failure, written=False, done=progress.words)
        if progress.deleted + piece.total > progress.confirmed:
            problem = _(
                "More units are chosen by now than you have confirmed. Some are deleted already."
            )
            return await self._plan(MANY, piece, chosen, texts=texts, problem=problem)
        if planned.problems:
            problem = _("Not all are deleted.")
            return await self._plan(MANY, piece, chosen, texts=texts, problem=problem)
        context: dict[str, object] = {
            "action": MANY,
            "chosen": chosen,
            "progress": progress,
            "left": piece.total,
            "summary": planned.summary,
            "reason": texts.get("reason", ""),
            "request_id": new_request_id(),
        }
        return self._site.page("datasets/delete_on.html", context)

    async def _plan(
        self,
        action: str,
        piece: Piece,
        chosen: Chosen | Ticked,
        *,
        texts: Mapping[str, str] | None = None,
        problem: str = "",
        field: str = "",
        whole: bool = True,
    ) -> web.Response:
        names = piece.names
        try:
            outcome = await self._outcome(names, BundleHeader(validate_only=True, reason=LOOKED_AT))
            async with asyncio.timeout(PLAN_SECONDS):
                left = await self._left_behind(piece, chosen)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=whole)
        items = planned_items(outcome.results)
        context: dict[str, object] = {
            "action": action,
            "chosen": chosen,
            "listed": chosen.kind.title if isinstance(chosen, Ticked) else "",
            **_only(action, names),
            "summary": outcome.summary,
            "items": items[:MOST_SHOWN],
            "more": max(0, len(items) - MOST_SHOWN),
            "total": piece.total if piece.total > MOST else outcome.summary.removed,
            "pieces": -(-piece.total // MOST),
            "most": MOST,
            "left": left[:MOST_SHOWN],
            "left_behind": len(left),
            "problems": outcome.problems,
            "problem": problem,
            "field": field,
            "reason": (texts or {}).get("reason", ""),
            "request_id": new_request_id(),
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("datasets/delete.html", context, status=status)

    async def _outcome(self, names: Sequence[str], header: BundleHeader) -> Outcome:
        items = [BundleItem(source=id_of(name), removed=name) for name in names]
        async with asyncio.timeout(WRITE_SECONDS):
            return await apply_bundle(
                self._client, items, header, progress=lambda _: None, timeout=WRITE_SECONDS
            )

    async def _first_of(self, chosen: Chosen | Ticked) -> Piece:
        if isinstance(chosen, Ticked):
            async with asyncio.timeout(WRITE_SECONDS):
                names = await chosen.names(self._client, most=MOST)
            return Piece(names, len(names))
        return await first_of(self._client, chosen, most=MOST, within_s=WRITE_SECONDS)

    async def _left_behind(self, piece: Piece, chosen: Chosen | Ticked) -> list[str]:
        """Ids of units that require what would be deleted, now or with a later piece, and stay."""
        if chosen.is_all or isinstance(chosen, Ticked):
            return []
        if piece.total <= len(piece.names):
            return await left_behind(self._client, piece.names)
        pages = pages_of(self._client, chosen)
        return await left_behind(self._client, {name async for page in pages for name in page})


def _chosen(pairs: Iterable[tuple[str, object]]) -> Chosen | Ticked:
    """What an address, or a form, is about: units, or things of the list that it names.

    Raises:
        web.HTTPNotFound: of that list nothing is deleted here.
    """
    said = list(pairs)
    path = str(dict(said).get("of", ""))
    if path in LISTS:
        return Ticked.of(said, path)
    if path:
        raise web.HTTPNotFound
    return Chosen.of(said)


def _unconfirmed(texts: Mapping[str, str]) -> tuple[str, str]:
    """What is missing to do it, and of which field; empty: nothing."""
    if not texts.get("plan"):
        return _("Nothing was deleted: look at what it would do first."), ""
    if texts.get("count") and texts.get("typed_count", "").strip() != texts["count"]:
        return _("Nothing was deleted: type the number of what it is about."), "typed_count"
    return "", ""


def _told_on_plan(failure: ClientError | TimeoutError) -> tuple[str, str]:
    """What the plan can tell better than a page of its own, and of which field; empty: nothing."""
    if not isinstance(failure, Refused):
        return "", ""
    if failure.reason == "REQUEST_ID_REUSED":
        # What was chosen by a filter is gone by now, so the same is about others.
        return _("This was sent before, and is done."), ""
    field = field_of(failure)
    return told(failure) if field else "", field


def _only(action: str, names: Sequence[str]) -> dict[str, str]:
    """Of a deletion of just one, whatever its kind: its page, id and users."""
    if action == MANY:
        return {"only": "", "only_id": "", "users": ""}
    (name,) = names
    return {"only": page_of(name), "only_id": id_of(name), "users": _users_of(name)}


def _users_of(name: str) -> str:
    """The list of the units that may stand against it; empty: none can."""
    collection, _slash, id = name.partition("/")
    key = collection.removesuffix("s")
    return "" if key == "control_unit" else f"/control_units?{urlencode({'q': f'{key}={id}'})}"


def _one(request: web.Request) -> Piece:
    return Piece([f"{request.path.split('/')[1]}/{request.match_info['id']}"], 1)
