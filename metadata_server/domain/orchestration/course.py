"""The course of an operation: its steps while a replica carries them on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from metadata_server.domain.orchestration.advance import ENDED, OnFailure, Run, StepState, way_back
from metadata_server.domain.orchestration.operation import (
    BREAKING_OFF,
    End,
    Operation,
    Phase,
    StepCounts,
    counts_of,
    end_of,
)
from metadata_server.domain.orchestration.operation_step import (
    Seen,
    Step,
    StepMinor,
    Verdict,
    overdue,
    verdict_of,
)
from metadata_server.domain.orchestration.order_plan import DESCENDING, Verb
from metadata_server.domain.orchestration.ordering import in_order, order_of, waves

STOPPED = frozenset({Phase.SUSPENDED, Phase.PENDING, Phase.HELD})
"""Phases in which nothing begins."""


class Course:
    """Where the steps of an operation stand, and which may begin.

    Steps have their turns by what is written of their units: where an order has waited, that may be
    another order than that of their positions, which stay.
    """

    def __init__(self, operation: Operation, steps: Sequence[Step]) -> None:
        self.operation = operation
        self._steps = list(steps)
        self.is_back = any(each.is_way_back for each in steps)
        descends = (operation.order.verb in DESCENDING) is not self.is_back
        acting = in_order(
            (each for each in steps if each.is_ordered and each.is_way_back == self.is_back),
            descends=descends,
        )
        self._positions = [each.position for each in acting]  # of each node of the ordering
        self._nodes = {position: node for node, position in enumerate(self._positions)}
        self._ordering = order_of((each.member for each in acting), descends=descends)
        on_failure = OnFailure.CONTINUE if self.is_back else operation.order.on_failure
        self._run = Run(
            self._ordering,
            operation.order.limits,
            on_failure=on_failure,
            states=[each.state for each in acting],
        )
        self._backlog: deque[int] = deque()
        self.by_unit = {each.unit_key: each.position for each in acting}
        self.under_way = {each.position for each in acting if each.state is StepState.EXECUTING}

    @property
    def is_stopped(self) -> bool:
        """Whether nothing may begin, by the will of people or the want of time."""
        operation = self.operation
        return operation.phase in STOPPED or operation.minor_state in BREAKING_OFF

    def is_out_of_time(self, now_us: int) -> bool:
        """Whether it has to be broken off, for its deadline has come. What is taken back is taken
        back to the end; the time of what waits to be resumed has not begun."""
        operation = self.operation
        if not operation.deadline_us or self.is_over or self.is_back:
            return False
        if operation.phase is Phase.PENDING:
            return False
        return operation.minor_state not in BREAKING_OFF and now_us >= operation.deadline_us

    @property
    def is_over(self) -> bool:
        return self._run.is_over and not self.under_way and not self._backlog

    def step(self, position: int) -> Step:
        return self._steps[position]

    def step_of(self, unit_key: int) -> Step | None:
        """The step of a unit that is under way."""
        position = self.by_unit.get(unit_key)
        return self._steps[position] if position in self.under_way else None

    def acting_on(self, unit_key: int) -> Step:
        """The step that acts on a unit."""
        return self._steps[self.by_unit[unit_key]]

    def next_to_begin(self, most: int, *, now_us: int) -> list[Step]:
        """Some steps that begin now: those whose turn it is, and those to be tried again."""
        if self.is_stopped:
            return []
        self._backlog.extend(self._positions[node] for node in self._run.begin())
        taken = [self._backlog.popleft() for _ in range(min(most, len(self._backlog)))]
        again = (
            position
            for position in sorted(self.under_way)
            if is_waiting(self._steps[position]) and now_us >= self._steps[position].deadline_us
        )
        taken += [position for position, _ in zip(again, range(most - len(taken)), strict=False)]
        return [self._steps[position] for position in taken]

    def pending(self) -> list[int]:
        """Positions of the steps that have not begun."""
        return [each.position for each in self._steps if each.state is StepState.PENDING]

    def waiting(self) -> list[Step]:
        """The steps that have not begun, and those that wait to be tried again."""
        again = (position for position in self.under_way if is_waiting(self._steps[position]))
        return [self._steps[position] for position in (*self.pending(), *sorted(again))]

    @property
    def is_quiet(self) -> bool:
        """Whether no unit is on its way."""
        return all(is_waiting(self._steps[position]) for position in self.under_way)

    def begun(self, steps: Iterable[Step]) -> None:
        """Steps are under way now, as they were written."""
        for step in steps:
            self._steps[step.position] = step
            self.under_way.add(step.position)

    def take(self, verdicts: Mapping[int, Verdict], deadlines: Mapping[int, int]) -> None:
        """Where steps stand has been written; `deadlines` are of those that have new ones."""
        for position, verdict in verdicts.items():
            state, minor_state, message = verdict
            self._steps[position] = replace(
                self._steps[position],
                state=state,
                minor_state=minor_state,
                message=message,
                deadline_us=deadlines.get(position, self._steps[position].deadline_us),
            )
            if state in ENDED:
                self.under_way.discard(position)
                self._run.end(self._nodes[position], state)

    def ended_by_rule(self) -> dict[int, Verdict]:
        """Steps that will not begin because others have failed, and of which that is not yet
        written."""
        found = {}
        for node, cause in self._run.aborted.items():
            position = self._positions[node]
            if self._steps[position].state not in ENDED:
                found[position] = self._after(self._steps[self._positions[cause]])
        return found

    def _after(self, failed: Step) -> Verdict:
        if (
            self.operation.order.on_failure is OnFailure.CONTINUE
            or failed.state is StepState.ABORTED
        ):
            why = f"requires {failed.id}, which has not come there"
            return Verdict(StepState.ABORTED, StepMinor.REQUIRED_FAILED, why)
        return Verdict(StepState.ABORTED, StepMinor.AFTER_FAILURE, f"{failed.id} has failed")

    def verdict(self, step: Step, seen: Seen, now_us: int) -> Verdict:
        """Where a step stands whose unit is seen so."""
        order = self.operation.order
        verdict = verdict_of(step, order.verb, seen)
        if is_waiting(step) and verdict.state in {StepState.EXECUTING, StepState.ERROR}:
            if self.operation.minor_state in BREAKING_OFF:
                return Verdict(StepState.ERROR, StepMinor.FAILED, step.message)
            return Verdict(step.state, StepMinor.WAITING_TO_RETRY, step.message)
        if verdict.state is StepState.EXECUTING and now_us >= step.deadline_us:
            verdict = overdue(step, seen, order.step_timeout_us)
        is_last = step.attempts >= order.most_attempts or self.is_back
        if verdict.state is StepState.ERROR and not is_last:
            return Verdict(StepState.EXECUTING, StepMinor.WAITING_TO_RETRY, verdict.message)
        return verdict

    def deadline_us(self, step: Step, verdict: Verdict, now_us: int) -> int:
        """The deadline of a step from now on: of one that waits, when it is tried again."""
        if verdict.minor_state is StepMinor.WAITING_TO_RETRY and not is_waiting(step):
            tries = min(step.attempts - 1, 16)
            return now_us + (self.operation.order.retry_delay_us << tries)
        return step.deadline_us

    def counts(self, verdicts: Mapping[int, StepState]) -> StepCounts:
        """How many steps stand where, once some stand elsewhere."""
        return counts_of(verdicts.get(each.position, each.state) for each in self._steps)

    def way_back(self) -> list[Step]:
        """The steps that take everything back that was begun, now or once it is resumed; none:
        that is not wanted, or there is nothing to take back, as of what was refused before its
        unit was told anything."""
        operation = self.operation
        order = operation.order
        if self.is_back or order.on_failure is not OnFailure.ROLL_BACK:
            return []
        if operation.minor_state in BREAKING_OFF or order.verb is Verb.RECOVER:
            return []
        if not self._has_failed():
            return []
        told = (self._steps[position].start_time_us > 0 for position in self._positions)
        ordering = way_back(self._ordering, self._run.states, told)
        wave = {each.id: number for number, some in enumerate(waves(ordering)) for each in some}
        by_id = {each.id: each for each in self._steps if each.is_ordered}
        return [
            Step(
                position=len(self._steps) + place,
                unit_key=by_id[member.id].unit_key,
                id=member.id,
                is_way_back=True,
                target=by_id[member.id].way_back_target,
                level=member.level,
                wave=wave[member.id],
                unit_server=member.unit_server,
                requires=member.requires,
                after=member.after,
            )
            for place, member in enumerate(ordering.members)
        ]

    def _has_failed(self) -> bool:
        return any(each.state is StepState.ERROR for each in self._steps)

    def end(self) -> End:
        """How the operation ends, now that it is over."""
        failed = [each for each in self._steps if each.state is StepState.ERROR]
        superseded = sum(each.minor_state == StepMinor.SUPERSEDED for each in self._steps)
        return end_of(
            self.counts({}),
            self.operation.minor_state,
            is_taken_back=self.is_back,
            superseded=superseded,
            failure=f"{failed[0].id}: {failed[0].message}" if failed else "",
        )


def is_waiting(step: Step) -> bool:
    """Whether a step waits to be tried again."""
    return step.minor_state == StepMinor.WAITING_TO_RETRY
