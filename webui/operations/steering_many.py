"""Steering several operations together: which of them it is about comes first, then just those."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from mds.v1.operation_pb2 import Operation

from control_units.client import ClientError
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.problem import field_of
from webui.lists.ticked import Ticked, TooMany, too_many
from webui.lists.together import Outcome, one_by_one
from webui.names import id_of, page_of
from webui.operations.phases import phase_of
from webui.operations.planned import MOST_WITHOUT_COUNT
from webui.operations.steering import STEERING, is_allowed, steer
from webui.operations.verbs import order_words
from webui.refusals import told
from webui.site import READ_SECONDS, Site
from webui.translation import _
from webui.visit import come_back_to
from webui.vocabulary import Mark

PATH = "/operations/steer"
# Operations at once: each is a call of its own.
MOST = 200


@dataclass(frozen=True, slots=True)
class Steered:
    """One operation.

    Attributes:
        is_allowed: its phase allows it.
        problem: why the server refused; empty: it did not.
    """

    id: str
    page: str
    verb: str
    mark: Mark
    author: str
    steps: int
    is_allowed: bool
    problem: str = ""


def routes(site: Site) -> list[web.RouteDef]:
    pages = SteeringPages(site)
    return [web.get(PATH, pages.plan), web.post(PATH, pages.give)]


class SteeringPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def plan(self, request: web.Request) -> web.Response:
        """`GET /operations/steer?how=abort&id=…`, or `&filter=…`: which of them it is about."""
        how = request.query.get("how", "")
        self._require(how)
        return await self._plan(how, Ticked.of(request.query.items(), "operations"))

    async def give(self, request: web.Request) -> web.Response:
        """`POST /operations/steer`: one after the other, and leads back to their list; with those
        that the server refuses, it says so of each."""
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        how, reason = texts.get("how", ""), texts.get("reason", "")
        ticked = Ticked.of(posted.items(), "operations")
        come_back_to(PATH, [("how", how), *ticked.pairs])
        self._require(how)
        if how not in STEERING or not 0 < len(ticked.ids) <= MOST:
            return await self._plan(how, ticked, reason=reason)
        asked = texts.get("count", "")
        if asked and texts.get("typed_count", "").strip() != asked:
            problem = _("Nothing was ordered: type the number of operations that it is about.")
            return await self._plan(
                how, ticked, reason=reason, problem=problem, field="typed_count"
            )

        async def order(id: str, request_id: str) -> None:
            await steer(self._client, how, f"operations/{id}", request_id, reason)

        request_id = texts.get("request_id") or new_request_id()[:32]
        outcome = await one_by_one(ticked.ids, request_id, order)
        if failure := outcome.failure:
            begun = bool(outcome.done)
            return again(self._site, PATH, posted.items(), failure, begun=begun)
        if refused := outcome.about_all:
            field = field_of(refused)
            return await self._plan(how, ticked, reason=reason, problem=told(refused), field=field)
        if outcome.refused:
            return await self._refused(how, ticked.only(outcome.left), outcome, reason=reason)
        raise web.HTTPSeeOther(ticked.ordered(len(outcome.done)))

    async def _refused(
        self, how: str, ticked: Ticked, outcome: Outcome[None], *, reason: str
    ) -> web.Response:
        """The plan of those that are left, with why each was refused."""
        come_back_to(PATH, [("how", how), *ticked.pairs])  # and not to what is done
        problem = outcome.words_of_gone
        if ticked.is_nothing:
            return self._said(problem, title=_("The metadata server refused"))
        return await self._plan(how, ticked, reason=reason, problem=problem, refused=outcome.left)

    def _require(self, how: str) -> None:
        self._site.require(STEERING.get(how, STEERING["abort"]).call)

    async def _plan(
        self,
        how: str,
        ticked: Ticked,
        *,
        reason: str = "",
        problem: str = "",
        field: str = "",
        refused: Mapping[str, str] | None = None,
    ) -> web.Response:
        """
        Args:
            field: what the problem is about: `reason`, `typed_count`; empty: none of them.
            refused: why, by id.
        """
        if how not in STEERING or ticked.is_nothing:
            return self._said(_("Tick operations in their list, and choose what to do with them."))
        try:
            async with asyncio.timeout(READ_SECONDS):
                operations = await ticked.things(self._client, most=MOST)
        except TooMany:
            return too_many(self._site, MOST)
        except (ClientError, TimeoutError) as failure:
            if problem:
                return self._said(problem, title=_("The metadata server refused"))
            return self._site.refused(failure, whole=True)
        rows = _rows(operations, how, refused or {})
        count = sum(row.is_allowed for row in rows)
        context: dict[str, object] = {
            "how": how,
            "word": _(STEERING[how].word),
            "rows": rows,
            "count": count,
            "left_out": len(rows) - count,
            "asks_for_count": count > MOST_WITHOUT_COUNT,
            "reason": reason,
            "problem": problem,
            "field": field,
            # Each of them has its number behind it.
            "request_id": new_request_id()[:32],
            "ticked": ticked,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("operations/steer.html", context, status=status)

    def _said(self, message: str, *, title: str = "") -> web.Response:
        return self._site.said(
            title or _("Nothing to order"), message, status=HTTPStatus.UNPROCESSABLE_ENTITY
        )


def _rows(operations: Sequence[Operation], how: str, refused: Mapping[str, str]) -> list[Steered]:
    """Those that it is about first."""
    rows = [
        Steered(
            id=(id := id_of(each.name)),
            page=page_of(each.name),
            verb=order_words(each.verb),
            mark=phase_of(each),
            author=each.author,
            steps=each.counts.steps,
            is_allowed=is_allowed(how, each.phase),
            problem=refused.get(id, ""),
        )
        for each in operations
    ]
    return sorted(rows, key=lambda row: not row.is_allowed)
