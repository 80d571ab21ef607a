"""Moving units to a version of their template: what it means for each, ticks, then one change."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self

from aiohttp import web
from mds.v1.bundle_pb2 import Problem, SeenPlan
from mds.v1.difference_pb2 import FieldDifference
from mds.v1.edit_pb2 import (
    RebaseControlUnitsRequest,
    RebaseControlUnitsResponse,
    RebaseOutcome,
    UnitRebase,
    UnitSelection,
)

from control_units.client import ClientError, Invalid, Stale
from control_units.client.bundles import Outcome, outcome_of
from webui.datasets.again import again
from webui.datasets.bulk import seen_plan
from webui.datasets.form import new_request_id
from webui.datasets.problem import field_of
from webui.datasets.rebase_seen import others_than_seen, seen_of, seen_of_all
from webui.names import id_of, page_of
from webui.operations.planned import MOST_WITHOUT_COUNT
from webui.planning import LOOKED_AT, PLAN_SECONDS, being_planned, is_awaited, is_whole
from webui.refusals import told
from webui.site import Site
from webui.translation import _, gettext_noop
from webui.visit import come_back_to

_OUTCOMES = {
    RebaseOutcome.REBASE_OUTCOME_CONFLICT: gettext_noop("conflict"),
    RebaseOutcome.REBASE_OUTCOME_REMOVED_PARAMETER: gettext_noop("removed parameter"),
    RebaseOutcome.REBASE_OUTCOME_CHANGED_DEFAULT: gettext_noop("changed default"),
    RebaseOutcome.REBASE_OUTCOME_UNAFFECTED: gettext_noop("unaffected"),
}
"""Worst first, as they are listed."""
_ORDER: Mapping[int, int] = {outcome: place for place, outcome in enumerate(_OUTCOMES)}
# Units that are listed, each with its tick: a form of a hundred thousand could not be sent.
MOST_SHOWN = 500
# Begins the names of fields that say what was shown of units.
SEEN = "seen:"


@dataclass(frozen=True, slots=True)
class RebaseRow:
    """What it means for one unit.

    Attributes:
        problems: why it cannot be moved as it is.
        has_conflict: something stands against it.
        is_ticked: whether it is moved unless somebody says otherwise.
        seen: tells all of this from anything else.
    """

    name: str
    id: str
    page: str
    from_version: int
    outcome: str
    differences: tuple[FieldDifference, ...]
    dropped: tuple[str, ...]
    problems: tuple[str, ...]
    is_running: bool
    has_conflict: bool
    is_ticked: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form asks for; a form that comes back asks for the same.

    Attributes:
        ticked: names of units; None: nobody has ticked yet.
        seen: units that were listed, by name, each with what was shown of it.
        rest: whether those that were not listed are moved, too.
        rest_seen: what was known of these.
        drop: whether what stands against the version is dropped.
        typed_count: how many shall be moved, as somebody has typed to confirm it.
    """

    version: str
    ticked: Collection[str] | None = None
    seen: Mapping[str, str] = field(default_factory=dict)
    rest: bool = True
    rest_seen: str = ""
    drop: bool = False
    reason: str = ""
    request_id: str = ""
    typed_count: str = ""

    @classmethod
    def sent(cls, fields: Sequence[tuple[str, str]]) -> Self:
        texts = dict(fields)
        return cls(
            version=texts.get("version", ""),
            ticked=[value for name, value in fields if name == "unit"],
            seen={
                name.removeprefix(SEEN): value for name, value in fields if name.startswith(SEEN)
            },
            rest=texts.get("rest") == "1",
            rest_seen=texts.get("rest_seen", ""),
            drop=texts.get("drop_conflicting") == "1",
            reason=texts.get("reason", ""),
            request_id=texts.get("request_id", ""),
            typed_count=texts.get("typed_count", "").strip(),
        )

    def moves(self, unit: UnitRebase) -> bool:
        if self.ticked is None:
            return _can_move(unit)
        was_in_rest = self.rest and unit.name not in self.seen
        return unit.name in self.ticked or (was_in_rest and _can_move(unit))


def routes(site: Site) -> list[web.RouteDef]:
    pages = RebasePages(site)
    return [
        web.get("/templates/{id:.+}/rebase", pages.plan),
        web.post("/templates/{id:.+}/rebase", pages.rebase),
    ]


class RebasePages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._client = site.client

    async def plan(self, request: web.Request) -> web.Response:
        """`GET /templates/{id}/rebase?version=2`: what it means for every unit on another one."""
        self._site.require("Edits.RebaseControlUnits")
        id = request.match_info["id"]
        if not is_awaited(request):
            return being_planned(
                self._site, request, _("Move units of %(template)s") % {"template": id}
            )
        wanted = Wanted(request.query.get("version", ""))
        try:
            return await self._plan(id, wanted)
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=is_whole(request))

    async def rebase(self, request: web.Request) -> web.Response:
        """`POST /templates/{id}/rebase`: moves those that are ticked, as one change, if it means
        for each what was shown."""
        id = request.match_info["id"]
        fields = [(name, str(value)) for name, value in (await request.post()).items()]
        wanted = Wanted.sent(fields)
        come_back_to(request.rel_url.raw_path, [("version", wanted.version)])
        written, sent = False, fields
        try:
            rest = await self._rest(id, wanted) if wanted.rest else []
            names = [*dict.fromkeys([*(wanted.ticked or ()), *rest])]
            problem, field = _unconfirmed(wanted, names)
            plan = _plan_in(fields)
            if not problem and not plan:
                plan, problem = await self._planned(id, wanted, names)
            if plan and not problem:
                written, sent = True, _naming(fields, names, plan)
                problem, field = await self._move(id, wanted, names, plan)
                written = False
            return await self._plan(id, wanted, problem=problem, field=field)
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, sent, failure, written=written)

    async def _planned(self, id: str, wanted: Wanted, names: Sequence[str]) -> tuple[SeenPlan, str]:
        """The plan for just these, and why it is not what was shown; empty: it is."""
        asked = _request(id, wanted.version)
        asked.selection.CopyFrom(UnitSelection(names=names))
        asked.drop_conflicting = wanted.drop
        outcome, units = await self._outcome(asked)
        plan = SeenPlan(position=outcome.summary.position, plan=outcome.summary.plan)
        if wanted.drop:
            # What was shown is what stands against it. It is looked at last: whatever comes later
            # makes another plan.
            asked.drop_conflicting = False
            asked.request_id = new_request_id()
            outcome, units = await self._outcome(asked)
        if not units and not outcome.problems:
            return plan, _("Nothing was moved: they stand there already.")
        now = _seen(outcome, units)
        others = others_than_seen(names, now, wanted.seen, wanted.rest_seen)
        return plan, others and _(
            "Nothing was moved: by now it means something else for %(units)s."
        ) % {"units": others}

    async def _move(
        self, id: str, wanted: Wanted, names: Sequence[str], plan: SeenPlan
    ) -> tuple[str, str]:
        """Why nothing was moved, and at which field that stands.

        Raises:
            web.HTTPSeeOther: they were moved; it leads to the change.
        """
        asked = _request(id, wanted.version)
        asked.validate_only = False
        asked.drop_conflicting = wanted.drop
        asked.reason = wanted.reason
        asked.request_id = wanted.request_id or new_request_id()
        asked.seen_plan.CopyFrom(plan)
        try:
            asked.selection.CopyFrom(UnitSelection(names=names))
            outcome, _units = await self._outcome(asked)
        except (Invalid, Stale) as refused:
            return told(refused), field_of(refused)
        if not outcome.summary.applied:
            why = " ".join(f"{id_of(each.name)}: {told(each)}" for each in outcome.problems[:5])
            return _("Nothing was moved.") + f" {why}", ""
        if not outcome.summary.changed:
            return _("Nothing was moved: they stand there already."), ""
        raise web.HTTPSeeOther(f"/change_sets/{outcome.summary.position.revision}?saved=1")

    async def _plan(
        self, id: str, wanted: Wanted, *, problem: str = "", field: str = ""
    ) -> web.Response:
        outcome, units = await self._outcome(_request(id, wanted.version))
        units.sort(key=lambda unit: _ORDER.get(unit.outcome, 0))
        problems = defaultdict(list)
        for each in outcome.problems:
            problems[each.name].append(told(each))
        seen = _seen(outcome, units)
        rows = [
            _row(each, problems[each.name], wanted, seen[each.name]) for each in units[:MOST_SHOWN]
        ]
        movable = [each.name for each in units[MOST_SHOWN:] if _can_move(each)]
        rest = len(movable)
        context = {
            "id": id,
            "page": page_of(f"templates/{id}"),
            "wanted": wanted,
            "rows": rows,
            "rest": rest,
            "rest_seen": seen_of_all(movable, seen),
            "count": sum(each.is_ticked for each in rows) + (rest if wanted.rest else 0),
            "most": MOST_WITHOUT_COUNT,
            "stuck": max(0, len(units) - MOST_SHOWN) - rest,
            "running": outcome.summary.running,
            "has_conflicts": any(each.has_conflict for each in rows),
            "request_id": new_request_id(),
            "problem": problem,
            "field": field,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("datasets/rebase.html", context, status=status)

    async def _rest(self, id: str, wanted: Wanted) -> list[str]:
        """Units that were not listed, and that nothing stands against."""
        _outcome, units = await self._outcome(_request(id, wanted.version))
        return [each.name for each in units if _can_move(each) and each.name not in wanted.seen]

    async def _outcome(self, asked: RebaseControlUnitsRequest) -> tuple[Outcome, list[UnitRebase]]:
        units: list[UnitRebase] = []

        def told(response: RebaseControlUnitsResponse) -> tuple[()]:
            units.extend(response.units)
            return ()

        async with asyncio.timeout(PLAN_SECONDS):
            responses = self._client.edits.RebaseControlUnits(asked, timeout=PLAN_SECONDS)
            outcome = await outcome_of(
                self._client, responses, progress=lambda _: None, results_of=told
            )
        return outcome, units


def _request(id: str, version: str) -> RebaseControlUnitsRequest:
    return RebaseControlUnitsRequest(
        template=f"templates/{id}",
        to_version=int(version) if version.isdecimal() and len(version) < 9 else 0,
        validate_only=True,
        reason=LOOKED_AT,
        request_id=new_request_id(),
    )


def _seen(outcome: Outcome, units: Sequence[UnitRebase]) -> dict[str, str]:
    """What it means for each unit, by name."""
    problems: dict[str, list[Problem]] = defaultdict(list)
    for each in outcome.problems:
        problems[each.name].append(each)
    return {each.name: seen_of(each, problems[each.name]) for each in units}


def _naming(
    fields: Sequence[tuple[str, str]], names: Sequence[str], plan: SeenPlan
) -> list[tuple[str, str]]:
    """The same form about just these, to be sent again: who has been moved by it is in no rest, and
    looks otherwise; of what was found to be as shown, the server says whether it was done."""
    told = {"unit", "rest", "rest_seen"}
    position = plan.position
    return [
        *(each for each in fields if each[0] not in told and not each[0].startswith(SEEN)),
        *(("unit", name) for name in names),
        ("store_id", position.store_id),
        ("epoch", str(position.epoch)),
        ("revision", str(position.revision)),
        ("plan", plan.plan),
    ]


def _plan_in(fields: Sequence[tuple[str, str]]) -> SeenPlan | None:
    """The plan of a form that is sent again."""
    texts = dict(fields)
    return seen_plan(texts) if texts.get("plan") else None


def _unconfirmed(wanted: Wanted, names: Sequence[str]) -> tuple[str, str]:
    """What is missing to move just these, and of which field; empty: nothing. They are counted as
    they were sent: a browser without scripts draws no other number when a tick changes."""
    count = len(names)
    if not count:
        return _("No unit is ticked."), ""
    if count > MOST_WITHOUT_COUNT and wanted.typed_count != str(count):
        problem = _("Nothing was moved: type %(number)s, the number of units that are ticked now.")
        return problem % {"number": count}, "typed_count"
    return "", ""


def _can_move(unit: UnitRebase) -> bool:
    return unit.outcome != RebaseOutcome.REBASE_OUTCOME_CONFLICT


def _row(unit: UnitRebase, problems: Sequence[str], wanted: Wanted, seen: str) -> RebaseRow:
    return RebaseRow(
        name=unit.name,
        id=id_of(unit.name),
        page=page_of(unit.name),
        from_version=unit.from_version,
        outcome=_(_OUTCOMES.get(unit.outcome) or "?"),
        differences=tuple(unit.differences),
        dropped=tuple(unit.dropped),
        problems=tuple(problems),
        is_running=unit.is_running,
        has_conflict=not _can_move(unit),
        is_ticked=wanted.moves(unit),
        seen=seen,
    )
