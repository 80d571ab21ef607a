"""Steps of operations: what one unit is told, and when that has come to an end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from metadata_server.domain.intent.edit import FieldEdit
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.advance import ENDED, StepState
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.orchestration.ordering import Member


class StepMinor(StrEnum):
    """Where in its state a step stands."""

    WAITING = "Waiting"
    WAITING_FOR_LEVEL = "WaitingForLevel"
    WAITING_FOR_UNIT = "WaitingForUnit"
    WAITING_FOR_PLACE = "WaitingForPlace"
    WAITING_TO_RETRY = "WaitingToRetry"
    PAUSED = "Paused"
    HELD = "Held"
    ON_THE_WAY = "OnTheWay"
    OUT_OF_TOUCH = "OutOfTouch"
    RECOVERING = "Recovering"
    REACHED = "Reached"
    ALREADY_THERE = "AlreadyThere"
    WRITTEN = "Written"
    FAILED = "UnitFailed"
    REFUSED = "Refused"
    TIMED_OUT = "TimedOut"
    SUPERSEDED = "Superseded"
    GONE = "UnitGone"
    AFTER_FAILURE = "AfterFailure"
    REQUIRED_FAILED = "RequiredFailed"
    OUT_OF_TIME = "OutOfTime"
    ABORTED = "AbortedByPerson"
    SKIPPED = "SkippedByPerson"
    BLOCKED = "Blocked"


RETRIED = frozenset(
    {
        StepMinor.FAILED,
        StepMinor.REFUSED,
        StepMinor.TIMED_OUT,
        StepMinor.AFTER_FAILURE,
        StepMinor.REQUIRED_FAILED,
        StepMinor.OUT_OF_TIME,
        StepMinor.ABORTED,
    }
)
"""Ends after which people may have a step begin again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One unit's part in an operation. Times that are not yet are 0.

    Attributes:
        unit_key: of the unit.
        position: in the plan; it stays, also where what waited begins in another order by then.
        id: of the unit when the operation was planned, or, where that waited, when it began; so
            are `level`, `wave`, `unit_server`, `requires`, `after`, `desired` and `found`.
        is_way_back: it takes another step back.
        target: state that the unit shall come to; UNSPECIFIED: none in particular.
        desired: state that people wanted.
        found: state that the unit had reported.
        wave: -1: nothing is ordered to the unit.
        edits: of this unit alone.
        generation: of the unit's declaration that it must reach; 0: the step has not begun.
        recover_count: of the unit that it must have acted on.
        deadline_us: when it counts as failed; of one that waits to be tried again: when it is.
    """

    position: int
    unit_key: int
    id: str
    state: StepState = StepState.PENDING
    minor_state: str = StepMinor.WAITING
    message: str = ""
    is_way_back: bool = False
    target: State = State.UNSPECIFIED
    level: int = 0
    wave: int = 0
    unit_server: str = ""
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    desired: State = State.UNSPECIFIED
    found: State = State.UNSPECIFIED
    edits: tuple[FieldEdit, ...] = ()
    generation: int = 0
    recover_count: int = 0
    attempts: int = 0
    start_time_us: int = 0
    end_time_us: int = 0
    deadline_us: int = 0
    revision: int = 0

    @property
    def is_ordered(self) -> bool:
        """Whether the plan acts on the unit."""
        return self.wave >= 0

    @property
    def takes_over(self) -> bool:
        """Whether it takes its unit over from older operations, as `OrderPlan.taken_over` says."""
        is_target = self.target is not State.UNSPECIFIED
        is_wanted_there = self.minor_state == StepMinor.ALREADY_THERE and is_target
        return is_wanted_there or self.state not in ENDED

    @property
    def member(self) -> Member:
        """The unit, as far as its place in the order goes."""
        return Member(
            id=self.id,
            unit_server=self.unit_server,
            level=self.level,
            requires=self.requires,
            after=self.after,
        )

    @property
    def way_back_target(self) -> State:
        """Where it is taken back to: what people wanted before, or where the unit stood."""
        if self.desired is not State.UNSPECIFIED or self.found.is_error:
            return self.desired
        return self.found


class Seen(NamedTuple):
    """A unit as it is now: what people want of it, and what it says.

    Attributes:
        generation: of its declaration; 0: it is no longer declared.
        intent_revision: of the last change of its declaration.
        report_revision: of its last report.
        contact: of the session that hosts it.
        recovers: its unit server will try by itself, for the first time and within seconds, to
            get it out of its error.
    """

    key: int
    id: str = ""
    generation: int = 0
    intent_revision: int = 0
    desired: State = State.UNSPECIFIED
    recover_count: int = 0
    state: State = State.UNSPECIFIED
    message: str = ""
    reached_generation: int = 0
    reached_recover_count: int = 0
    report_revision: int = 0
    contact: Contact = Contact.NONE
    recovers: bool = False

    @property
    def is_in_touch(self) -> bool:
        return self.contact not in {Contact.NONE, Contact.LOST}

    @property
    def will_say(self) -> bool:
        """Whether it can be waited for that it says where it has come to."""
        return self.is_in_touch and not self.state.is_error


class Verdict(NamedTuple):
    """Where a step that is under way stands now; EXECUTING: it goes on."""

    state: StepState
    minor_state: StepMinor
    message: str = ""


ON_THE_WAY = Verdict(StepState.EXECUTING, StepMinor.ON_THE_WAY)
REACHED = Verdict(StepState.COMPLETED, StepMinor.REACHED)
NEEDS_INIT = frozenset({State.INITIALIZED, State.RUNNING, State.STOPPED})
"""From FATAL_ERROR leads only init, which nothing below INITIALIZED asks for."""


def verdict_of(step: Step, verb: Verb, seen: Seen) -> Verdict:
    """What a unit's declaration and its last report say of a step that is under way. What a
    session said that has ended counts for nothing."""
    if not seen.generation:
        return Verdict(StepState.ABORTED, StepMinor.GONE, "it is no longer declared")
    if seen.generation < step.generation:  # seen before it was told
        return ON_THE_WAY
    if seen.generation > step.generation and step.target not in {State.UNSPECIFIED, seen.desired}:
        wanted = "nobody wants anything of it" if not is_wanted(seen) else f"wanted {seen.desired}"
        return Verdict(StepState.ABORTED, StepMinor.SUPERSEDED, f"by now {wanted}")
    if step.is_way_back and (seen.state.is_error or not seen.is_in_touch):
        why = f"it is {seen.state}, contact {seen.contact}; nothing is wanted of it any more"
        return Verdict(StepState.COMPLETED, StepMinor.WRITTEN, why)
    if not seen.is_in_touch:
        return out_of_touch(step, verb, seen)
    if seen.state.is_error:
        return in_error(step, verb, seen)
    is_there = step.target in {State.UNSPECIFIED, seen.state}
    return REACHED if is_there and seen.reached_generation >= step.generation else ON_THE_WAY


def is_wanted(seen: Seen) -> bool:
    return seen.desired is not State.UNSPECIFIED


def out_of_touch(step: Step, verb: Verb, seen: Seen) -> Verdict:
    if verb is Verb.EDIT:
        return Verdict(StepState.COMPLETED, StepMinor.WRITTEN, "it applies when the unit starts")
    if step.target is State.UNLOADED and seen.contact is Contact.NONE:
        return REACHED
    why = "no unit server hosts it" if seen.contact is Contact.NONE else f"contact {seen.contact}"
    return Verdict(StepState.EXECUTING, StepMinor.OUT_OF_TOUCH, why)


def in_error(step: Step, verb: Verb, seen: Seen) -> Verdict:
    """Of a unit in error: it may not have acted on the order yet."""
    if verb is Verb.EDIT:
        why = f"it is in {seen.state}, and applies it when it recovers"
        return Verdict(StepState.COMPLETED, StepMinor.WRITTEN, why)
    failed = Verdict(StepState.ERROR, StepMinor.FAILED, f"{seen.state}: {seen.message}")
    if seen.state is State.RECOVERABLE_ERROR:
        if seen.recovers:
            return Verdict(StepState.EXECUTING, StepMinor.RECOVERING, failed.message)
        return failed if seen.reached_recover_count >= step.recover_count else ON_THE_WAY
    needs_init = step.target in NEEDS_INIT or seen.desired in NEEDS_INIT
    has_tried = seen.report_revision > seen.intent_revision
    return failed if has_tried or not needs_init else ON_THE_WAY


def overdue(step: Step, seen: Seen, timeout_us: int) -> Verdict:
    """The end of a step whose unit has not come there in time."""
    where = f"it is {seen.state}{silence(step, seen)}"
    if seen.message:
        where += f" ({seen.message})"
    why = f"not there after {timeout_us / 1_000_000:g} s: {where}"
    return Verdict(StepState.ERROR, StepMinor.TIMED_OUT, why)


def silence(step: Step, seen: Seen) -> str:
    """Who is not heard that should say where a unit is: where people have to look."""
    if seen.is_in_touch:
        return ""
    server = Kind.UNIT_SERVER.name_of(step.unit_server) if step.unit_server else ""
    if seen.contact is Contact.NONE:
        return ", and no unit server hosts it" + (f"; it was to be on {server}" if server else "")
    return f", contact {seen.contact}" + (f" with {server}" if server else "")
