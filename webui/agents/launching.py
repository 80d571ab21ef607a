"""Orders to agents: to launch unit servers, to end them, to launch them again. What it would mean
for control units comes first."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from mds.v1.edit_pb2 import UnitSelection
from mds.v1.filter_pb2 import CountMatchesRequest
from mds.v1.operation_pb2 import Operation, OrderVerb, PlanOperationRequest
from mds.v1.operation_plan_pb2 import HitUnit
from mds.v1.unit_server_pb2 import (
    GetUnitServerRequest,
    RestartUnitServerRequest,
    StartUnitServerRequest,
    StopUnitServerRequest,
    UnitServer,
)

from control_units.client import Client, ClientError, Refused
from control_units.client.finding import find_control_units, id_filters
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.problem import field_of
from webui.lists.ticked import Ticked, TooMany, too_many
from webui.lists.together import MOST_TOLD, Outcome, one_by_one
from webui.names import id_of, page_of
from webui.operations.planned import MOST_WITHOUT_COUNT, Named, named, some
from webui.refusals import told
from webui.site import READ_SECONDS, Site, may_be_done
from webui.translation import _, gettext_noop
from webui.visit import come_back_to

# Unit servers in one order.
MOST_SERVERS = 200
# Their units are asked about a few unit servers at a time.
AT_ONCE = 8
# Begins the names of fields that say how many units of a unit server were shown to run.
RUNNING = "running:"
# A part of what was sent may be done: it goes on with the rest, whatever that part has changed.
BEGUN = ("begun", "1")


@dataclass(frozen=True, slots=True)
class Launching:
    """One order.

    Attributes:
        ends: whether it ends a process that runs.
    """

    word: str
    meaning: str
    ends: bool


LAUNCHES = {
    "start": Launching(
        gettext_noop("Start"),
        gettext_noop("They run, now and whenever their host boots."),
        ends=False,
    ),
    "stop": Launching(
        gettext_noop("Stop"),
        gettext_noop("They end, and are not launched until that is ordered again."),
        ends=True,
    ),
    "restart": Launching(
        gettext_noop("Restart"),
        gettext_noop("They end and are launched again, also those that were given up."),
        ends=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Launched:
    """One unit server of an order.

    Attributes:
        agent: that carries it out; empty: none does, so that it cannot be ordered.
        running: of its units.
    """

    id: str
    page: str
    agent: str
    agent_page: str
    units: int
    running: int


def routes(site: Site) -> list[web.RouteDef]:
    pages = LaunchPages(site)
    return [
        web.get("/launches/new", pages.plan),
        web.post("/launches/new", pages.give),
    ]


class LaunchPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def plan(self, request: web.Request) -> web.Response:
        """`GET /launches/new?how=stop&unit_server=…`, or as ticked in their list: what it would
        mean."""
        self._site.require("UnitServers.StartUnitServer")
        ids = request.query.getall("unit_server", [])
        ticked = Ticked.of(request.query.items(), "unit_servers")
        try:
            async with asyncio.timeout(READ_SECONDS):
                ids += [id_of(name) for name in await ticked.names(self._client, most=MOST_SERVERS)]
        except TooMany:
            return too_many(self._site, MOST_SERVERS)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        return await self._plan(request.query.get("how", ""), ids, ticked)

    async def give(self, request: web.Request) -> web.Response:
        """`POST /launches/new`: orders it, one unit server after the other. It leads back to where
        they were ticked."""
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        ticked = Ticked.of(posted.items(), "unit_servers")
        how, ids = texts.get("how", ""), _ids(map(str, posted.getall("unit_server", ticked.ids)))
        come_back_to("/launches/new", [("how", how), *_pairs(ids, ticked)])
        if how not in LAUNCHES or not 0 < len(ids) <= MOST_SERVERS:
            return await self._plan(how, ids, ticked)
        reason = texts.get("reason", "")
        try:
            problem, field = await self._unconfirmed(how, ids, texts)
        except (ClientError, TimeoutError) as unread:
            return again(self._site, request.path, posted.items(), unread, written=False)
        if problem:
            return await self._plan(how, ids, ticked, reason=reason, problem=problem, field=field)

        async def order(id: str, request_id: str) -> UnitServer:
            return await _order(self._client, how, id, reason, request_id)

        outcome = await one_by_one(ids, texts.get("request_id") or new_request_id()[:32], order)
        if failure := outcome.failure:
            begun = bool(outcome.done)
            sent = [*posted.items(), *([BEGUN] if begun or may_be_done(failure) else [])]
            return again(self._site, request.path, sent, failure, begun=begun)
        if refused := outcome.about_all:
            field = field_of(refused)
            return await self._plan(
                how, ids, ticked, reason=reason, problem=told(refused), field=field
            )
        if outcome.refused:
            return await self._refused(how, ticked, outcome, reason=reason)
        if ticked.ids:
            raise web.HTTPSeeOther(ticked.ordered(len(outcome.done)))
        agents = dict.fromkeys(server.launch.agent for server in outcome.done)
        agent = next(iter(agents)) if len(agents) == 1 else ""
        raise web.HTTPSeeOther(f"{page_of(agent) if agent else '/unit_servers'}?launched={how}")

    async def _unconfirmed(
        self, how: str, ids: Sequence[str], texts: Mapping[str, str]
    ) -> tuple[str, str]:
        """What is missing to order just that, and of which field; empty: nothing."""
        asked = texts.get("count", "")
        if asked and texts.get("typed_count", "").strip() != asked:
            problem = _("Nothing was ordered: type the number of units that it is about.")
            return problem, "typed_count"
        if not LAUNCHES[how].ends or BEGUN in texts.items():
            return "", ""
        async with asyncio.timeout(READ_SECONDS):
            rows = await launched(self._client, ids, leave_out_gone=True)
            hit = await left_without(self._client, [row.id for row in rows])
        # Fewer than were shown are in nobody's way: units come to an end by themselves, too.
        more = any(row.running > shown_running(texts, row.id) for row in rows)
        if more or not set(marks_of(hit)) <= set(texts.get("hit", "").split()):
            return _(
                "Nothing was ordered: by now more units would end, or be left without what they "
                "require, than were shown."
            ), ""
        return "", ""

    async def _refused(
        self, how: str, ticked: Ticked, outcome: Outcome[UnitServer], *, reason: str
    ) -> web.Response:
        """The plan of those that are left, with why each was refused."""
        if not outcome.left and not outcome.done:
            return self._site.refused(next(iter(outcome.refused.values())), whole=True)
        # And not to what is done: it would be done once more.
        come_back_to("/launches/new", [("how", how), *_pairs(outcome.left, ticked)])
        why = list(outcome.left.values())[:MOST_TOLD]
        problem = " ".join([outcome.words_of_gone, *why])
        if not outcome.left:
            return self._said(problem, title=_("The metadata server refused"))
        return await self._plan(how, list(outcome.left), ticked, reason=reason, problem=problem)

    async def _plan(
        self,
        how: str,
        ids: Sequence[str],
        ticked: Ticked,
        *,
        reason: str = "",
        problem: str = "",
        field: str = "",
    ) -> web.Response:
        """
        Args:
            ticked: in their list; nothing: another page led here.
        """
        ids = _ids(ids)
        if how not in LAUNCHES or not ids:
            return self._said(_("Tick unit servers in their list, or on the page of their agent."))
        if len(ids) > MOST_SERVERS:
            return too_many(self._site, MOST_SERVERS)
        try:
            async with asyncio.timeout(READ_SECONDS):
                rows = await launched(self._client, ids)
                hit = await left_without(self._client, ids) if LAUNCHES[how].ends else []
        except (ClientError, TimeoutError) as failure:
            if problem:
                return self._said(problem, title=_("The metadata server refused"))
            return self._site.refused(failure, whole=True)
        running = sum(row.running for row in rows)
        context: dict[str, object] = {
            "how": how,
            "launching": LAUNCHES[how],
            "rows": rows,
            "pairs": [*_pairs(ids, ticked), *(_shown(rows, hit) if LAUNCHES[how].ends else [])],
            "running": running,
            "hit": some(hit),
            "asks_for_count": LAUNCHES[how].ends and running > MOST_WITHOUT_COUNT,
            "back": (rows[0].agent_page or rows[0].page) if ticked.is_nothing else ticked.back,
            "reason": reason,
            "problem": problem,
            "field": field,
            "request_id": new_request_id()[:32],
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("agents/launching.html", context, status=status)

    def _said(self, message: str, *, title: str = "") -> web.Response:
        return self._site.said(
            title or _("Nothing to order"), message, status=HTTPStatus.UNPROCESSABLE_ENTITY
        )


async def launched(
    client: Client, ids: Sequence[str], *, leave_out_gone: bool = False
) -> list[Launched]:
    """
    Raises:
        ClientError: also where there is none of such an id, unless those are left out.
    """
    limit = asyncio.Semaphore(AT_ONCE)

    async def count(text: str) -> int:
        request = CountMatchesRequest(kind="control_unit", filter=text)
        return (await client.filters.CountMatches(request)).count

    async def row(id: str) -> Launched | None:
        async with limit:
            request = GetUnitServerRequest(name=f"unit_servers/{id}")
            try:
                server = await client.unit_servers.GetUnitServer(request)
            except Refused as refused:
                if leave_out_gone and refused.reason == "UNIT_SERVER_NOT_FOUND":
                    return None
                raise
            units = await count(f'unit_server="{id}"')
            running = await count(f'unit_server="{id}" state=RUNNING')
        agent = server.launch.agent
        page = page_of(agent) if agent else ""
        return Launched(id, page_of(server.name), id_of(agent), page, units, running)

    return [each for each in await asyncio.gather(*map(row, ids)) if each is not None]


async def left_without(client: Client, ids: Sequence[str]) -> list[Named]:
    """Running units elsewhere that would be left without what they require.

    Raises:
        ClientError: what the server says, or that none answers.
    """
    hit: dict[str, HitUnit] = {}
    for text in id_filters(ids, "unit_server"):
        operation = Operation(
            verb=OrderVerb.ORDER_VERB_UNLOAD, selection=UnitSelection(filter=text), even_so=True
        )
        try:
            plan = await client.operations.PlanOperation(PlanOperationRequest(operation=operation))
        except Refused as refused:
            if refused.reason != "NOTHING_SELECTED":
                raise
            continue
        hit |= {each.control_unit: each for each in plan.hit}
    # What one filter leaves out may be of a unit server that another one names.
    ending = {f"unit_servers/{id}" for id in ids}
    units = await find_control_units(client, list(hit))
    words = _("requires %(unit)s")
    return [
        named(name, words % {"unit": id_of(hit[name].through)})
        for name, unit in units.items()
        if unit.unit_server not in ending
    ]


def _shown(rows: Iterable[Launched], hit: Iterable[Named]) -> list[tuple[str, str]]:
    """What would end, as a form has it."""
    return [
        *((f"{RUNNING}{row.id}", str(row.running)) for row in rows),
        ("hit", " ".join(marks_of(hit))),
    ]


def shown_running(texts: Mapping[str, str], id: str) -> int:
    """How many units of a unit server ran, as a form has it."""
    text = texts.get(f"{RUNNING}{id}", "")
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def marks_of(hit: Iterable[Named]) -> list[str]:
    """Tells units from others, in few characters: a form may carry thousands of them."""
    return sorted(hashlib.sha256(unit.id.encode()).hexdigest()[:10] for unit in hit)


async def _order(client: Client, how: str, id: str, reason: str, request_id: str) -> UnitServer:
    name, servers = f"unit_servers/{id}", client.unit_servers
    if how == "start":
        return await servers.StartUnitServer(
            StartUnitServerRequest(name=name, reason=reason, request_id=request_id)
        )
    if how == "stop":
        return await servers.StopUnitServer(
            StopUnitServerRequest(name=name, reason=reason, request_id=request_id)
        )
    return await servers.RestartUnitServer(
        RestartUnitServerRequest(name=name, reason=reason, request_id=request_id)
    )


def _ids(given: Iterable[str]) -> list[str]:
    ids = [each.removeprefix("unit_servers/") for each in given]
    return list(dict.fromkeys(filter(None, ids)))


def _pairs(ids: Iterable[str], ticked: Ticked) -> list[tuple[str, str]]:
    """Unit servers, as an address or a form has them."""
    if ticked.is_nothing:
        return [("unit_server", id) for id in ids]
    return ticked.only(ids).pairs
