"""What an order would do: which units, in which order, who stands against it, how long."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from metadata_server.domain.intent.bundle import ItemAction
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Order
from metadata_server.domain.orchestration.operation_step import Step, StepMinor
from metadata_server.domain.orchestration.order_plan import (
    DESCENDING,
    TARGETS,
    Blockage,
    OrderPlan,
    Verb,
    blast_radius,
    plan_order,
)
from metadata_server.domain.orchestration.ordering import Member, waves
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.orchestration.holding import guard_bars, is_held_off
from metadata_server.services.orchestration.supersession import Own, giving_way
from metadata_server.services.orchestration.trials import trial
from metadata_server.store.codec import canonical
from metadata_server.store.intent.unit_selections import selected_units
from metadata_server.store.orchestration.campaigns import open_campaign
from metadata_server.store.orchestration.maintenances import coverage_now
from metadata_server.store.orchestration.members import members_of, required_by, requiring
from metadata_server.store.orchestration.operation_steps import past_durations
from metadata_server.store.orchestration.operations import operations_of
from metadata_server.store.unit_of_work import UnitOfWork

SAMPLE = 400
"""Units of which past durations are looked up."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An order, thought through.

    Attributes:
        units: that were selected, by id.
        order: in which it acts, what is there, what is blocked.
        waves: units that it acts on, by when they would begin.
        hit: running units that would lack what they require, each with the one through which.
        supersedes: names of operations that end for some units.
        edits: of single units, by id.
        common_edits: of all of them.
        estimate_us: 0: nobody can tell.
        campaign_key: of the campaign that it is for; 0: none.
    """

    units: Mapping[str, ControlUnit]
    members: Mapping[str, Member]
    order: OrderPlan
    waves: Sequence[Sequence[Member]]
    hit: Mapping[str, str]
    supersedes: Sequence[str]
    edits: Mapping[str, tuple[FieldEdit, ...]] = field(default_factory=dict)
    common_edits: tuple[FieldEdit, ...] = ()
    estimate_us: int = 0
    campaign_key: int = 0

    @property
    def digest(self) -> str:
        """Tells a plan from any other: it acts on the same units in the same order, writes the same
        into them, leaves the same without what they require, and ends the same operations. How far
        these have come, through whom units are hit and how long it takes moves all the time."""
        steps = [each.id for each in self.order.ordering.members]
        edits = [self.common_edits, *sorted(self.edits.items())]
        others = [sorted(self.hit), sorted(self.supersedes)]
        said = [steps, sorted(self.order.blocked), edits, others]
        return hashlib.sha256(canonical(said)).hexdigest()

    def steps(self) -> list[Step]:
        """All selected units as steps: first those that it acts on, by their places in the
        order; then those that are there, and those that are left out."""
        wave = {each.id: number for number, some in enumerate(self.waves) for each in some}
        acted_on = [
            self._step(each.id, position, wave[each.id])
            for position, each in enumerate(self.order.ordering.members)
        ]
        rest = [(id, StepState.COMPLETED, StepMinor.ALREADY_THERE, "") for id in self.order.there]
        rest += [
            (id, StepState.SKIPPED, StepMinor.BLOCKED, told(blockage))
            for id, blockage in sorted(self.order.blocked.items())
        ]
        settled = [
            replace(
                self._step(id, len(acted_on) + place, -1),
                state=state,
                minor_state=minor,
                message=message,
            )
            for place, (id, state, minor, message) in enumerate(rest)
        ]
        return acted_on + settled

    def _step(self, id: str, position: int, wave: int) -> Step:
        unit, member = self.units[id], self.members[id]
        return Step(
            position=position,
            unit_key=unit.meta.key,
            id=id,
            target=TARGETS.get(self.order.verb, State.UNSPECIFIED),
            level=member.level,
            wave=wave,
            unit_server=member.unit_server,
            requires=member.requires,
            after=member.after,
            desired=member.desired,
            found=member.state,
            edits=self.edits.get(id, ()),
        )


def told(blockage: Blockage) -> str:
    return f"{blockage.by} {blockage.why}".strip()


def plan(unit: UnitOfWork, order: Order) -> Planned:
    """Thinks an order through; writes nothing.

    Raises:
        Refused: INVALID_FIELD, DEPENDENCY_CYCLE, NOTHING_SELECTED, UNIT_LIST_NOT_FOUND,
            CAMPAIGN_NOT_FOUND, CAMPAIGN_CLOSED.
    """
    faults = list(order.faults())
    if faults:
        raise Refused.wrong_fields(faults)
    edits = {each.id: each.edits for each in order.unit_edits}
    refuse_undeclared(unit, selection_of(order).ids)
    units = selected_units(unit, selection_of(order))
    if not units:
        raise Refused.invalid(
            "NOTHING_SELECTED", "No control unit passes the selection; nothing is ordered."
        )
    members = members_of(unit, units)
    others = others_of(unit, order, units)
    barred = barred_from(unit, order, units, edits)
    found = plan_order(order.verb, members, others, barred=barred, even_so=order.even_so)
    in_waves = waves(found.ordering)
    stopping = [each.id for each in found.ordering.members] if order.verb in DESCENDING else []
    hit = blast_radius(stopping, [*members, *others]) if stopping else {}
    by_id = {each.id: each for each in units}
    return Planned(
        by_id,
        {each.id: each for each in members},
        found,
        in_waves,
        hit,
        superseded_names(
            unit, order, {by_id[id].meta.key: edits.get(id, ()) for id in found.taken_over}
        ),
        edits,
        order.edits,
        estimate_us(unit, order, units, in_waves),
        open_campaign(unit, order.campaign) if order.campaign else 0,
    )


def others_of(unit: UnitOfWork, order: Order, units: Sequence[ControlUnit]) -> list[Member]:
    """The other units of the facility that matter to an order: where some stop, those that require
    them; where some start, those that they require."""
    if order.verb in DESCENDING:
        return requiring(unit, units)
    if order.verb is Verb.START and not order.even_so:
        return required_by(unit, units)
    return []


def selection_of(order: Order) -> UnitSelection:
    """What is selected: by the selection, and by edits of single units."""
    named = [each.id for each in order.unit_edits]
    if not named:
        return order.selection
    return replace(order.selection, ids=tuple(sorted({*order.selection.ids, *named})))


def refuse_undeclared(unit: UnitOfWork, ids: Collection[str]) -> None:
    """An order to a unit that is not there is a slip, and nothing of it is done."""
    there = unit.resources.find(ControlUnit, ids).keys() if ids else set()
    missing = sorted(set(ids) - there)
    if missing:
        field, expected = "operation.selection.names", "a control unit that is there"
        names = map(Kind.CONTROL_UNIT.name_of, missing)
        raise Refused.wrong_fields([WrongField(field, name, expected) for name in names])


def barred_from(
    unit: UnitOfWork,
    order: Order,
    units: Sequence[ControlUnit],
    edits: Mapping[str, Sequence[FieldEdit]],
) -> dict[str, str]:
    """Why units may not be touched, by id: they are in maintenance, a guard forbids it, unless
    the order waits for that, or they cannot be so."""
    if order.verb is Verb.EDIT:
        return {
            decision.item.name.partition("/")[2]: decision.problems[0].message
            for decision in trial(unit, order, units, edits)
            if decision.action is ItemAction.REJECTED
            and not (order.stage and is_held_off(decision))
        }
    coverage = coverage_now(unit)
    found = ((each.id, coverage.condition(each.id, each.unit_server)) for each in units)
    worked_on = {id: f"is in maintenance: {each.message}" for id, each in found if each is not None}
    return worked_on if order.stage else guard_bars(unit, order, units) | worked_on


def superseded_names(unit: UnitOfWork, order: Order, own: Own) -> list[str]:
    keys = giving_way(unit, order, own)
    return sorted(each.name for each in operations_of(unit, keys).values())


def estimate_us(
    unit: UnitOfWork,
    order: Order,
    units: Sequence[ControlUnit],
    in_waves: Sequence[Sequence[Member]],
) -> int:
    """How long it takes if each wave takes what a unit typically took in the past, and as many
    times that as its limit makes of it."""
    target = TARGETS.get(order.verb)
    if target is None or not in_waves:
        return 0
    sample = [each.meta.key for each in units[:: max(1, len(units) // SAMPLE)]]
    past = past_durations(unit, sample, target)
    if not past:
        return 0
    rounds = (-(-len(some) // (order.at_once or len(some))) for some in in_waves)
    return round(median(past) * sum(rounds))
