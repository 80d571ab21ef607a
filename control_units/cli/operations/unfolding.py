"""An operation while its plan fills up, from what a server says of it and of its steps."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mds.v1.operation_pb2 import Operation, OperationPhase
from mds.v1.operation_step_pb2 import OperationStep, StepState

from control_units.client import ClientError

ENDED = frozenset(
    {
        OperationPhase.OPERATION_PHASE_COMPLETED,
        OperationPhase.OPERATION_PHASE_ERROR,
        OperationPhase.OPERATION_PHASE_ABORTED,
        OperationPhase.OPERATION_PHASE_ARCHIVED,
    }
)
_OF_NO_WAVE = frozenset({"AlreadyThere", "Blocked"})
"""Minor states of steps that the plan never begins."""
_FAILED_FIRST = (
    StepState.STEP_STATE_ERROR,
    StepState.STEP_STATE_ABORTED,
    StepState.STEP_STATE_SKIPPED,
    StepState.STEP_STATE_EXECUTING,
    StepState.STEP_STATE_PENDING,
)


@dataclass(frozen=True, slots=True)
class Wave:
    """The steps that may begin together.

    Attributes:
        number: from 0, of the way there or of the way back.
        counts: how many steps stand where.
        waits: why its first step that has not begun waits, if that is the next of all.
    """

    number: int
    is_way_back: bool
    counts: Counter[StepState.ValueType]
    waits: str

    @property
    def ended(self) -> int:
        """Steps of which nothing more is to come."""
        under_way = (StepState.STEP_STATE_PENDING, StepState.STEP_STATE_EXECUTING)
        return self.counts.total() - sum(self.counts[each] for each in under_way)


class Unfolding:
    """What is known of an operation now.

    Attributes:
        lost: why no server has answered for a while; None: one does.
        next: the next step to begin, with what it waits for; None: nobody has asked.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.lost: ClientError | None = None
        self.next: OperationStep | None = None
        self._steps: dict[tuple[bool, int], OperationStep] = {}
        self._told: set[tuple[bool, int, int]] = set()

    @property
    def is_over(self) -> bool:
        return self.operation.phase in ENDED

    @property
    def is_reached(self) -> bool:
        """Whether it has ended with all its units where they were to come."""
        counts = self.operation.counts
        return self.is_over and counts.completed == counts.steps

    def take(self, steps: Iterable[OperationStep]) -> None:
        for step in steps:
            self._steps[step.is_way_back, step.position] = step

    def counts(self, *, is_way_back: bool = False) -> Counter[StepState.ValueType]:
        return Counter(each.state for each in self._ordered() if each.is_way_back is is_way_back)

    def waves(self) -> list[Wave]:
        """The way there, then the way back."""
        counts: dict[tuple[bool, int], Counter[StepState.ValueType]] = {}
        for step in self._ordered():
            if step.minor_state in _OF_NO_WAVE:
                continue
            key = (step.is_way_back, step.wave)
            counts.setdefault(key, Counter())[step.state] += 1
        return [
            Wave(number, back, counts[back, number], self._waits(number, is_way_back=back))
            for back, number in sorted(counts)
        ]

    def _waits(self, wave: int, *, is_way_back: bool) -> str:
        found = self.next
        if found is None or (found.is_way_back, found.wave) != (is_way_back, wave):
            return ""
        known = self._steps.get((found.is_way_back, found.position), found)
        is_waiting = known.state == StepState.STEP_STATE_PENDING
        return (found.message or found.minor_state) if is_waiting else ""

    def missing(self) -> Iterator[OperationStep]:
        """Steps whose units have not come there, those that failed first."""
        places = {state: place for place, state in enumerate(_FAILED_FIRST)}
        there = StepState.STEP_STATE_COMPLETED
        steps = (each for each in self._ordered() if each.state != there and not each.is_way_back)
        yield from sorted(steps, key=lambda each: places.get(each.state, len(places)))

    def newly_failed(self) -> Iterator[OperationStep]:
        """Steps that have failed since it was asked last; each try counts by itself."""
        for step in self._ordered():
            key = (step.is_way_back, step.position, step.attempts)
            if step.state == StepState.STEP_STATE_ERROR and key not in self._told:
                self._told.add(key)
                yield step

    def _ordered(self) -> Iterator[OperationStep]:
        """By position, the way there first."""
        for key in sorted(self._steps):
            yield self._steps[key]
