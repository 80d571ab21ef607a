"""Steering several operations together: which of them it is about comes first, then just those."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from aiohttp import web
from mds.v1.operation_pb2 import Operation

from control_units.client import ClientError
from webui.access.person import Person
from webui.datasets.form import new_request_id
from webui.lists.ticked import Ticked, TooMany, too_many
from webui.lists.ticked_form import Shown, TickedForm
from webui.names import id_of, page_of
from webui.operations.phases import phase_of
from webui.operations.planned import MOST_WITHOUT_COUNT
from webui.operations.steering import STEERING, is_allowed, role_needed, steer
from webui.operations.verbs import order_words
from webui.site import READ_SECONDS, Site
from webui.translation import _
from webui.visit import current_visit
from webui.vocabulary import Mark

PATH = "/operations/steer"
# Operations at once: each is a call of its own.
MOST = 200


@dataclass(frozen=True, slots=True)
class Steered:
    """One operation.

    Attributes:
        is_allowed: its phase allows it, and so does the role of who asks.
        problem: why the server refused, or why the role does not do; empty: neither.
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
        return await self._plan(how, Ticked.of(request.query.items(), "operations"), Shown())

    async def give(self, request: web.Request) -> web.Response:
        """`POST /operations/steer`: one after the other, and leads back to their list; with those
        that the server refuses, it says so of each."""
        posted = await request.post()
        how, ticked = str(posted.get("how", "")), Ticked.of(posted.items(), "operations")
        form: TickedForm[None] = TickedForm(
            site=self._site, path=PATH, posted=posted, ticked=ticked, more=(("how", how),),
            plan=partial(self._plan, how),
        )  # fmt: skip
        form.come_back(ticked)
        self._require(how)
        if how not in STEERING or not 0 < len(ticked.ids) <= MOST:
            return await self._plan(how, ticked, Shown(reason=form.reason))

        async def order(id: str, request_id: str) -> None:
            await steer(self._client, how, f"operations/{id}", request_id, form.reason)

        return await form.carry_out(
            order,
            unconfirmed=_("Nothing was ordered: type the number of operations that it is about."),
            leads_to=lambda outcome: ticked.ordered(len(outcome.done)),
        )

    def _require(self, how: str) -> None:
        self._site.require(STEERING.get(how, STEERING["abort"]).call)

    async def _plan(self, how: str, ticked: Ticked, shown: Shown) -> web.Response:
        if how not in STEERING or ticked.is_nothing:
            advice = _("Tick operations in their list, and choose what to do with them.")
            return self._refused(shown) if shown.problem else self._said(advice)
        try:
            async with asyncio.timeout(READ_SECONDS):
                operations = await ticked.things(self._client, most=MOST)
        except TooMany:
            return too_many(self._site, MOST)
        except (ClientError, TimeoutError) as failure:
            if shown.problem:  # what has become of the others is not to be lost
                return self._refused(shown)
            return self._site.refused(failure, whole=True)
        rows = _rows(operations, how, shown.refused, current_visit().person)
        count = sum(row.is_allowed for row in rows)
        context: dict[str, object] = {
            "how": how,
            "word": _(STEERING[how].word),
            "rows": rows,
            "count": count,
            "left_out": sum(not is_allowed(how, each.phase) for each in operations),
            "asks_for_count": count > MOST_WITHOUT_COUNT,
            "reason": shown.reason,
            "problem": shown.problem,
            "field": shown.field,
            # Each of them has its number behind it.
            "request_id": new_request_id()[:32],
            "ticked": ticked,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if shown.problem else HTTPStatus.OK
        return self._site.page("operations/steer.html", context, status=status)

    def _refused(self, shown: Shown) -> web.Response:
        return self._said(shown.problem, title=_("The metadata server refused"))

    def _said(self, message: str, *, title: str = "") -> web.Response:
        return self._site.said(
            title or _("Nothing to order"), message, status=HTTPStatus.UNPROCESSABLE_ENTITY
        )


def _rows(
    operations: Sequence[Operation], how: str, refused: Mapping[str, str], person: Person
) -> list[Steered]:
    """Those that it is about first."""
    rows = []
    for each in operations:
        id = id_of(each.name)
        fits = is_allowed(how, each.phase)
        needed = role_needed(how, each, person) if fits else ""
        row = Steered(
            id=id,
            page=page_of(each.name),
            verb=order_words(each.verb),
            mark=phase_of(each),
            author=each.author,
            steps=each.counts.steps,
            is_allowed=fits and not needed,
            problem=refused.get(id, "") or needed,
        )
        rows.append(row)
    return sorted(rows, key=lambda row: not row.is_allowed)
