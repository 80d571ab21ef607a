"""The pages of lists: whole, or a part that a page puts in its place."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web
from mds.v1.filter_pb2 import CountMatchesRequest

from control_units.client import ClientError, Refused
from control_units.client.finding import id_filters
from webui.lists.exporting import formats_of, pieces
from webui.lists.kind import Column, ListKind
from webui.lists.kinds import KINDS
from webui.lists.problem import MENDABLE, Problem, problem_of
from webui.lists.reading import LARGEST_PAGE, Page, Query, all_of, order_of
from webui.lists.row_markup import RowMarkup
from webui.lists.statistics import TallyTable, statistics
from webui.lists.suggesting import keys_of, suggestions
from webui.lists.table import (
    column_choices,
    heads,
    rows,
    shown_columns,
    size_choices,
    writer_of_times,
)
from webui.lists.ticked import Ticked
from webui.lists.view import View, cookie_of, view_of
from webui.names import id_of
from webui.site import READ_SECONDS, Site

COOKIE_SECONDS = 365 * 86400
# A file of 100,000 units takes a minute or so; what takes longer has lost its reader.
FILE_SECONDS = 600.0


def routes(site: Site) -> list[web.RouteDef]:
    return [web.get(f"/{kind.path}", ListPages(site, kind).answer) for kind in KINDS]


class ListPages:
    """Handlers of one list."""

    def __init__(self, site: Site, kind: ListKind[Any]) -> None:
        self._site = site
        self._client = site.client
        self._kind = kind

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """`GET /control_units?q=…&sort=…&columns=…&page=…`: a page of the list, or with `format=`
        a file of all of it or, with `id=…`, of what is ticked, or with `fragment=` a part of the
        page."""
        view = view_of(self._kind, request.query, request.cookies)
        if format := formats_of(self._kind).get(request.query.get("format", "")):
            return await self._file(request, view, format)
        fragment = request.query.get("fragment", "")
        if not fragment and request.headers.get("HX-Request") == "true":
            fragment = "" if request.headers.get("HX-History-Restore-Request") else "list"
        parts = {
            "rows": self._rows,
            "names": self._names,
            "count": self._count,
            "suggest": self._suggest,
            "statistics": self._statistics,
        }
        try:
            async with asyncio.timeout(READ_SECONDS):
                if part := parts.get(fragment):
                    return await part(request, view)
                return await self._list(view, whole=fragment != "list", request=request)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=not fragment)

    async def _list(self, view: View, *, whole: bool, request: web.Request) -> web.Response:
        problem: Problem | None = None
        page: Page[Any] = Page(())
        tallies: Sequence[TallyTable] = ()
        try:
            page, tallies = await asyncio.gather(
                self._kind.read(self._client, self._query(view)),
                self._statistics_of(view),
            )
        except Refused as refused:
            if refused.reason not in MENDABLE:
                raise
            # Where a list has a filter of its own, theirs stands in parentheses before it.
            problem = problem_of(refused, view, before_it=1 if self._kind.base else 0)
        context = self._context(view, page, problem) | {"tallies": tallies}
        if not whole:
            # 200 whatever is wrong: it is an answer to what is being typed, and no error.
            part = self._site.fragment("lists/list_part.html", context)
            if request.headers.get("HX-Boosted") != "true":
                past = {"as_of": self._site.as_of} if self._site.is_past else {}
                part.headers["HX-Replace-Url"] = view.address(**past)
            return part
        context["keys"] = await keys_of(self._client, self._kind.noun)
        count = request.query.get("ordered_count", "")
        context["ordered_count"] = count if count.isdecimal() and len(count) < 9 else ""
        status = HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK
        response = self._site.page("lists/list.html", context, status=status)
        if "column" in request.query:
            _remember_columns(response, self._kind, view)
        return response

    def _context(self, view: View, page: Page[Any], problem: Problem | None) -> dict[str, object]:
        columns = shown_columns(self._kind, view)
        is_all = not view.page and not page.next_token
        return {
            "kind": self._kind,
            "view": view,
            "heads": heads(self._kind, columns, view, is_past=self._site.is_past),
            "rows": rows(self._kind, page, columns, None),
            "problem": problem,
            "total": page.total if page.total is not None else len(page.things) if is_all else None,
            "next": view.next(page.next_token) if page.next_token else None,
            "choices": column_choices(self._kind, view),
            "sizes": size_choices(view),
            "formats": formats_of(self._kind),
            "everything": all_of(view.q, self._kind.base),
            "is_past": self._site.is_past,
            "markup": self._markup(columns, is_past=self._site.is_past),
        }

    def _markup(self, columns: Sequence[Column[Any]], *, is_past: bool) -> RowMarkup:
        return RowMarkup(
            self._site.environment,
            columns,
            have_ticks=not is_past,
            written=writer_of_times(datetime.now(UTC)),
        )

    async def _rows(self, request: web.Request, view: View) -> web.Response:
        """Rows of some names as they are now, whether or not they still pass the filter."""
        names = request.query.getall("name", [])[:LARGEST_PAGE]
        key = self._kind.identity
        if not key or not names:
            return web.Response(text="", content_type="text/html")
        asked = list(id_filters(map(id_of, names), key))
        passing = all_of(view.q, self._kind.base)
        both = [Query(filter=each, size=LARGEST_PAGE) for each in asked]
        if passing:
            both += [Query(filter=all_of(passing, each), size=LARGEST_PAGE) for each in asked]
        pages = await asyncio.gather(*(self._kind.read(self._client, each) for each in both))
        things = [thing for page in pages[: len(asked)] for thing in page.things]
        kept = frozenset(self._kind.name(t) for page in pages[len(asked) :] for t in page.things)
        columns = shown_columns(self._kind, view)
        found = rows(self._kind, Page(things), columns, kept if passing else None)
        markup = self._markup(columns, is_past=False)
        return self._site.part(markup(found))

    async def _names(self, _: web.Request, view: View) -> web.Response:
        """The names that the first page would show now, to tell what is new."""
        page = await self._kind.read(self._client, self._query(view.first()))
        return web.json_response([self._kind.name(thing) for thing in page.things])

    async def _count(self, _: web.Request, view: View) -> web.Response:
        """How many match; asked only when somebody wants to select them all."""
        reply = await self._client.filters.CountMatches(
            CountMatchesRequest(kind=self._kind.noun, filter=all_of(view.q, self._kind.base))
        )
        return web.json_response({"count": reply.count})

    async def _statistics(self, _: web.Request, view: View) -> web.Response:
        """How many there are by what they have."""
        tallies = await self._statistics_of(view)
        return self._site.fragment("lists/statistics.html", {"tallies": tallies, "view": view})

    async def _statistics_of(self, view: View) -> Sequence[TallyTable]:
        # What things had then is not counted.
        return () if self._site.is_past else await statistics(self._client, self._kind, view)

    async def _suggest(self, request: web.Request, _: View) -> web.Response:
        zones = [key.removeprefix("zone:") for key in self._site.hub.picture.lists.get("zones", ())]
        found = await suggestions(
            self._client, self._kind.noun, request.query.get("text", ""), zones=zones
        )
        return self._site.fragment("lists/suggestions.html", {"suggestions": found})

    async def _file(self, request: web.Request, view: View, format: Any) -> web.StreamResponse:
        columns = shown_columns(self._kind, view)
        ticked, query = Ticked.of(request.query.items(), self._kind.path), self._query(view)
        queries = [replace(query, filter=each) for each in ticked.filters] or [query]
        texts = pieces(self._client, self._kind, columns, queries, format)
        try:
            async with asyncio.timeout(READ_SECONDS):
                first = await anext(texts)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        disposition = f'attachment; filename="{self._kind.path}.{format.suffix}"'
        response = web.StreamResponse(headers={"Content-Disposition": disposition})
        response.content_type = format.content_type
        response.charset = "utf-8"
        response.enable_compression()
        await response.prepare(request)
        await response.write(first.encode())
        async with asyncio.timeout(FILE_SECONDS):
            async for text in texts:
                await response.write(text.encode())
        return response

    def _query(self, view: View) -> Query:
        return Query(
            filter=all_of(view.q, self._kind.base),
            order_by=order_of(view.sort),
            size=view.size,
            token=view.page,
            as_of=self._site.as_of,
        )


def _remember_columns(response: web.Response, kind: ListKind[Any], view: View) -> None:
    columns = ".".join(view.columns or kind.usual)
    response.set_cookie(
        cookie_of(kind),
        columns,
        path=f"/{kind.path}",
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
    )
