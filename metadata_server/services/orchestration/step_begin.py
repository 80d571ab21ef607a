"""Has steps begin: tells units what they shall be, in the transaction that writes that they have
been told. So no step is done twice, and none is lost in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from metadata_server.domain.intent.bundle import Decision, ItemAction, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import RECOVER, edited, steps_of
from metadata_server.domain.intent.edit import Step as Edit
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.course import is_waiting
from metadata_server.domain.orchestration.operation import Order
from metadata_server.domain.orchestration.operation_step import Seen, Step, StepMinor, Verdict
from metadata_server.domain.orchestration.order_plan import TARGETS, Verb
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.planning import Planning
from metadata_server.services.intent.saving import save_all
from metadata_server.services.intent.single import change_item
from metadata_server.services.orchestration.holding import is_held_off
from metadata_server.services.orchestration.overtaking import named
from metadata_server.store.orchestration.operation_steps import begin_steps, seen_of, set_steps
from metadata_server.store.unit_of_work import UnitOfWork

BEGINNING = (StepState.PENDING, StepState.EXECUTING)
"""A step that waits to be tried again is EXECUTING."""


@dataclass(slots=True)
class Begun:
    """What became of steps that were to begin; those that are in neither wait for a mode.

    Attributes:
        ended: those that have ended at once, by position.
        under_way: those that have begun, as they are written.
        silent: keys of units that may be there already, or have nobody who says where they are.
        held: the others, which guards hold off.
        why: that is so, of the first.
    """

    ended: dict[int, Verdict] = field(default_factory=dict)
    under_way: list[Step] = field(default_factory=list)
    silent: set[int] = field(default_factory=set)
    held: list[Step] = field(default_factory=list)
    why: str = ""


def begin(unit: UnitOfWork, operation_key: int, order: Order, steps: Sequence[Step]) -> Begun:
    """Begins steps, and writes it.

    Raises:
        LostRace: a step is not as it was read.
    """
    seen = seen_of(unit, [each.unit_key for each in steps])
    telling = Telling(order, seen)
    begun = Begun()
    try:
        decisions = telling.decide(unit, steps)
    except Refused as refused:  # of the whole, by a policy that wants a reason since then
        refusal = Verdict(StepState.ERROR, StepMinor.REFUSED, str(refused))
        begun.ended = {each.position: refusal for each in steps}
        decisions = {}
    beginning: list[tuple[Step, Decision]] = []
    for each in steps:
        decision = decisions.get(each.unit_key)
        if order.stage and decision is not None and is_held_off(decision):
            begun.held.append(each)
            begun.why = begun.why or f"{each.id}: {decision.problems[0].message}"
            continue
        verdict = begun.ended.get(each.position) or telling.verdict(each, decision)
        if verdict is not None:
            begun.ended[each.position] = verdict
            continue
        assert decision is not None
        beginning.append((each, decision))
        if decision.action is ItemAction.UNCHANGED or not seen[each.unit_key].will_say:
            begun.silent.add(each.unit_key)
    begun.ended = named(unit, begun.ended, telling.overtaken_at)
    save_all(unit, [each for _, each in beginning if each.action is not ItemAction.UNCHANGED])
    begun.under_way = write_begun(unit, operation_key, order, beginning)
    write_ended(unit, operation_key, begun.ended)
    return begun


class Telling:
    """What units are told by the steps of an order.

    Attributes:
        overtaken_at: revisions of units of which others want something else, by position.
    """

    def __init__(self, order: Order, seen: Mapping[int, Seen]) -> None:
        self._order = order
        self._seen = seen
        self._overtaken: dict[int, str] = {}
        self._unfit: dict[int, str] = {}
        self.overtaken_at: dict[int, int] = {}

    def decide(self, unit: UnitOfWork, steps: Iterable[Step]) -> dict[int, Decision]:
        """Decisions by key of the unit, of those that are still declared.

        Raises:
            Refused: REASON_REQUIRED.
        """
        by_key = {each.unit_key: each for each in steps}
        read = unit.resources.of_keys(ControlUnit, by_key)
        items = []
        for key, each in sorted(read.items(), key=lambda pair: pair[1].id):
            try:
                items.append(change_item(each, partial(self._told, by_key[key])))
            except (Refused, ValueError) as unfit:  # a later release has planned its edits
                self._unfit[key] = str(unfit)
        decisions = Planning(unit, on_conflict=OnConflict.REPLACE).decide(items)
        return {key_of(each): each for each in decisions}

    def verdict(self, step: Step, decision: Decision | None) -> Verdict | None:
        """The end of a step that cannot begin; None: it can."""
        if step.unit_key in self._unfit:
            why = self._unfit[step.unit_key]
            return Verdict(StepState.ERROR, StepMinor.REFUSED, why)
        if decision is None:
            return Verdict(StepState.ABORTED, StepMinor.GONE, "it is no longer declared")
        if decision.action is ItemAction.REJECTED:
            why = "; ".join(each.message for each in decision.problems)
            return Verdict(StepState.ERROR, StepMinor.REFUSED, why)
        if step.unit_key in self._overtaken:
            by_now = self._overtaken[step.unit_key]
            return Verdict(StepState.ABORTED, StepMinor.SUPERSEDED, by_now)
        if self._order.verb is Verb.EDIT and decision.action is ItemAction.UNCHANGED:
            return Verdict(StepState.COMPLETED, StepMinor.ALREADY_THERE)
        return None

    def told(self, step: Step, there: ControlUnit) -> ControlUnit:
        """A unit as a step wants it, from what is there.

        Raises:
            Refused, ValueError: its edits cannot be understood, or applied.
        """
        self._overtaken.pop(step.unit_key, None)  # told again, of what is there by now
        self.overtaken_at.pop(step.position, None)
        if self._order.verb is Verb.EDIT:
            return self._edited(step, there)
        after = there
        if step.is_way_back or step.target is not State.UNSPECIFIED:
            if there.desired_state not in self._found(step):
                return self._overtake(step, there, f"by now wanted {there.desired_state}")
            after = replace(there, desired_state=step.target)
        if self._recovers(step):
            after = replace(after, recover_count=there.recover_count + 1)
        return after

    def _told(self, step: Step, there: Resource) -> Resource:
        assert isinstance(there, ControlUnit)
        return self.told(step, there)

    @cached_property
    def _common(self) -> Sequence[Edit]:
        """What is edited of all units."""
        return steps_of(self._order.edits) if self._order.edits else ()

    def _found(self, step: Step) -> set[State]:
        """The wanted states of a unit in which a step may find it; any other somebody has wanted
        since. One that is tried again, or taken back, has been told already: the state before
        that is one that somebody went back to."""
        if step.is_way_back:
            return {TARGETS[self._order.verb], step.target}
        return {step.target} if is_waiting(step) else {step.desired, step.target}

    def _edited(self, step: Step, there: ControlUnit) -> ControlUnit:
        """One that is tried again has its fields already, unless others have changed them."""
        edits = (*self._common, *(steps_of(step.edits) if step.edits else ()))
        kept = [each for each in edits if each.keys != RECOVER]
        if is_waiting(step) and edited(there, kept) != there:
            return self._overtake(step, there, "what it edits has been changed since")
        return edited(there, edits)

    def _overtake(self, step: Step, there: ControlUnit, why: str) -> ControlUnit:
        self._overtaken[step.unit_key] = why
        self.overtaken_at[step.position] = there.meta.revision
        return there

    def _recovers(self, step: Step) -> bool:
        """Whether a unit is told to recover: because the order says so, or because it is tried
        again and stands in error."""
        if step.is_way_back:
            return False
        if self._order.verb is Verb.RECOVER:
            return True
        return self._seen[step.unit_key].state.is_error and (
            self._order.recover or step.attempts > 0
        )


def key_of(decision: Decision) -> int:
    resource = decision.before or decision.item.resource
    assert resource is not None
    return resource.meta.key


def write_begun(
    unit: UnitOfWork,
    operation_key: int,
    order: Order,
    beginning: Iterable[tuple[Step, Decision]],
) -> list[Step]:
    """Writes that steps have begun; as they are now."""
    alike: dict[tuple[int, int], list[Step]] = defaultdict(list)
    for step, decision in beginning:
        before, after = decision.before, decision.after
        assert isinstance(before, ControlUnit)
        assert isinstance(after, ControlUnit)
        generation_ahead = int(decision.action is not ItemAction.UNCHANGED)
        generation = before.meta.generation + generation_ahead
        told = replace(step, generation=generation, recover_count=after.recover_count)
        alike[generation_ahead, after.recover_count - before.recover_count].append(told)
    deadline_us = unit.now_us + order.step_timeout_us
    return [
        begun
        for ahead, steps in alike.items()
        for begun in begin_steps(
            unit, operation_key, steps, was=BEGINNING, ahead=ahead, deadline_us=deadline_us
        )
    ]


def write_ended(unit: UnitOfWork, operation_key: int, ended: Mapping[int, Verdict]) -> None:
    """Writes the ends of steps that never got under way."""
    alike: dict[Verdict, list[int]] = defaultdict(list)
    for position, verdict in ended.items():
        alike[verdict].append(position)
    for verdict, positions in alike.items():
        set_steps(
            unit,
            operation_key,
            positions,
            was=BEGINNING,
            state=verdict.state.value,
            minor_state=verdict.minor_state.value,
            message=verdict.message,
            end_time_us=unit.now_us,
        )
