"""Operations: durable orders to control units, and what becomes of them as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

from metadata_server.domain.access.role import Role
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.advance import Limits, OnFailure, StepState
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import WrongField

SECOND_US = 1_000_000
DEFAULT_STEP_TIMEOUT_US = 120 * SECOND_US
DEFAULT_RETRY_DELAY_US = 30 * SECOND_US
LONGEST_US = 400 * 86_400 * SECOND_US
MOST_AT_ONCE = 1_000_000
MOST_ATTEMPTS = 1_000


class Phase(StrEnum):
    """Where an operation stands, in the words of IVOA's Universal Worker Service."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"
    HELD = "HELD"
    SUSPENDED = "SUSPENDED"
    ARCHIVED = "ARCHIVED"


ENDED_PHASES = frozenset({Phase.COMPLETED, Phase.ERROR, Phase.ABORTED, Phase.ARCHIVED})


class Minor(StrEnum):
    """Where in its phase an operation stands."""

    WAITING_FOR_START = "WaitingForStart"
    WAITING_FOR_REPLICA = "WaitingForReplica"
    WAITING_FOR_MODE = "WaitingForMode"
    RUNNING = "Running"
    PAUSED = "Paused"
    ABORTING = "Aborting"
    TIMED_OUT = "TimedOut"
    ROLLING_BACK = "RollingBack"
    DONE = "Done"
    FAILED = "StepsFailed"
    TAKEN_BACK = "TakenBack"
    ABORTED = "AbortedByPerson"
    SUPERSEDED = "Superseded"


BREAKING_OFF = frozenset({Minor.ABORTING, Minor.TIMED_OUT})
"""It begins nothing more, and has ended when nothing is under way."""


@dataclass(frozen=True, slots=True)
class UnitEdits:
    """What to change of one control unit, by its id."""

    id: str
    edits: tuple[FieldEdit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What people say of an operation when they create it.

    Attributes:
        edits: with EDIT, of all units.
        unit_edits: with EDIT, of single ones; those that the selection does not name are
            selected by it.
        timeout_us: for all of it; 0: any time.
        even_so: units that are not selected block nothing.
        recover: units in error are told to recover, too.
        stage: where a guard forbids it, it waits.
        most_attempts: of one step.
        retry_delay_us: before the second try; before each further one twice as long.
        campaign: id of the one that it is given for; empty: none.
    """

    verb: Verb
    selection: UnitSelection = field(default_factory=UnitSelection)
    edits: tuple[FieldEdit, ...] = ()
    unit_edits: tuple[UnitEdits, ...] = ()
    at_once: int = 0
    at_once_per_unit_server: int = 0
    on_failure: OnFailure = OnFailure.STOP
    step_timeout_us: int = DEFAULT_STEP_TIMEOUT_US
    timeout_us: int = 0
    even_so: bool = False
    recover: bool = False
    stage: bool = False
    most_attempts: int = 1
    retry_delay_us: int = DEFAULT_RETRY_DELAY_US
    campaign: str = ""

    @property
    def limits(self) -> Limits:
        return Limits(at_once=self.at_once, a_unit_server=self.at_once_per_unit_server)

    def deadline_us(self, begin_us: int) -> int:
        """When nothing more begins of an operation that goes on its way then; 0: at any time."""
        return begin_us + self.timeout_us if self.timeout_us else 0

    def faults(self) -> Iterator[WrongField]:
        """All that cannot be."""
        for name, least, most in (
            ("at_once", 0, MOST_AT_ONCE),
            ("at_once_per_unit_server", 0, MOST_AT_ONCE),
            ("most_attempts", 1, MOST_ATTEMPTS),
        ):
            number = getattr(self, name)
            if not least <= number <= most:
                yield WrongField(name, str(number), f"a number from {least} to {most}")
        for name, least in (("step_timeout", SECOND_US // 10), ("timeout", 0), ("retry_delay", 0)):
            time_us = getattr(self, f"{name}_us")
            if not least <= time_us <= LONGEST_US:
                expected = f"from {least / SECOND_US:g} s to {LONGEST_US // SECOND_US} s"
                yield WrongField(name, f"{time_us / SECOND_US:g} s", expected)
        is_edit = self.verb is Verb.EDIT
        if is_edit and not (self.edits or self.unit_edits):
            yield WrongField("edits", "", "at least one edit, for the verb EDIT")
        if not is_edit and (self.edits or self.unit_edits):
            yield WrongField("edits", f"{len(self.edits)} edits", f"none, for {self.verb}")
        if is_edit and self.on_failure is OnFailure.ROLL_BACK:
            expected = "STOP or CONTINUE, for the verb EDIT; mds undo takes edits back"
            yield WrongField("on_failure", self.on_failure, expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts:
    """How many steps of an operation stand where."""

    pending: int = 0
    executing: int = 0
    completed: int = 0
    failed: int = 0
    aborted: int = 0
    skipped: int = 0

    @property
    def steps(self) -> int:
        return (
            self.pending
            + self.executing
            + self.completed
            + self.failed
            + self.aborted
            + self.skipped
        )

    @property
    def open(self) -> int:
        return self.pending + self.executing


COUNTED: Mapping[StepState, str] = {
    StepState.PENDING: "pending",
    StepState.EXECUTING: "executing",
    StepState.COMPLETED: "completed",
    StepState.ERROR: "failed",
    StepState.ABORTED: "aborted",
    StepState.SKIPPED: "skipped",
}
"""The field of `StepCounts` that counts a state."""


def counts_of(states: Iterable[StepState]) -> StepCounts:
    counts = dict.fromkeys(COUNTED.values(), 0)
    for state in states:
        counts[COUNTED[state]] += 1
    return StepCounts(**counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A durable order. Times that are not yet are 0.

    Attributes:
        estimate_us: how long it was thought to take when it was planned; 0: nobody could tell.
        sign_of_life_us: when the replica that carries it on last said so.
        replica: that carries it on; empty: none does now.
        fence: grows with each replica that takes it, and with each steering by people; what is
            written under an older one is void.
        campaign_key: of the campaign that it was given for; 0: none.
        trace: where the call that gave it stands in a trace, as W3C's `traceparent`; empty: in
            none.
        role: that giving it took at least: its steps have the rights of that one.
    """

    kind: ClassVar[Kind] = Kind.OPERATION

    id: str
    key: int
    order: Order
    phase: Phase
    minor_state: str = ""
    message: str = ""
    author: str = ""
    authenticated: bool = False
    reason: str = ""
    create_time_us: int = 0
    start_time_us: int = 0
    end_time_us: int = 0
    update_time_us: int = 0
    sign_of_life_us: int = 0
    deadline_us: int = 0
    estimate_us: int = 0
    counts: StepCounts = StepCounts()
    replica: str = ""
    fence: int = 0
    revision: int = 0
    campaign_key: int = 0
    trace: str = ""
    role: Role = Role.OPERATOR

    @property
    def name(self) -> str:
        return self.kind.name_of(self.id)

    @property
    def has_ended(self) -> bool:
        return self.phase in ENDED_PHASES

    def estimated_end_us(self, now_us: int) -> int:
        """When it will have ended, by its own pace once a tenth is done, before that by that of
        past ones; 0: nobody can tell, or it has."""
        if self.has_ended or not self.start_time_us:
            return 0
        done = self.counts.steps - self.counts.open
        if done * 10 >= self.counts.steps and done:
            pace_us = (self.update_time_us - self.start_time_us) / done
            return max(now_us, round(self.update_time_us + pace_us * self.counts.open))
        return max(now_us, self.start_time_us + self.estimate_us) if self.estimate_us else 0


def operation_id(time_us: int, digits: str) -> str:
    """`20261121-155601-3fa9c1`: sorted by name they are sorted by time."""
    time = datetime.fromtimestamp(time_us / SECOND_US, UTC)
    return f"{time:%Y%m%d-%H%M%S}-{digits}"


@dataclass(frozen=True, slots=True)
class End:
    """How an operation ends."""

    phase: Phase
    minor_state: Minor
    message: str


def end_of(
    counts: StepCounts, minor_state: str, *, is_taken_back: bool, superseded: int, failure: str
) -> End:
    """How an operation ends of which no step is open any more.

    Args:
        minor_state: where it stood.
        superseded: how many of its steps later orders have ended.
        failure: the first one, as `id: why`; empty: there was none.
    """
    told = sentence(counts)
    if is_taken_back:
        return End(Phase.ERROR, Minor.TAKEN_BACK, f"Taken back, for {failure}. {told}")
    if minor_state == Minor.ABORTING:
        return End(Phase.ABORTED, Minor.ABORTED, told)
    if minor_state == Minor.TIMED_OUT:
        return End(Phase.ABORTED, Minor.TIMED_OUT, f"Its time was over. {told}")
    if counts.failed:
        return End(Phase.ERROR, Minor.FAILED, f"{told} First: {failure}.")
    if superseded:
        return End(Phase.ABORTED, Minor.SUPERSEDED, f"Later orders took its place. {told}")
    return End(Phase.COMPLETED, Minor.DONE, told)


WORDS = (
    ("failed", "failed"),
    ("aborted", "did not come to an end"),
    ("skipped", "left out"),
)


def sentence(counts: StepCounts) -> str:
    """`298 of 300 are there, 1 failed, 1 left out.`"""
    rest = "".join(
        f", {getattr(counts, name)} {word}" for name, word in WORDS if getattr(counts, name)
    )
    return f"{counts.completed} of {counts.steps} are there{rest}."
