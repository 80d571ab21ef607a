"""What a step that has not begun waits for, told when somebody asks: nothing is written while it
waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from metadata_server.domain.intent.dependency import covers, is_group
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Operation, Phase
from metadata_server.domain.orchestration.operation_step import Step, StepMinor
from metadata_server.domain.orchestration.order_plan import DESCENDING
from metadata_server.store.orchestration.open_steps import OpenStep, open_steps
from metadata_server.store.unit_of_work import UnitOfWork

STANDING = {
    Phase.PENDING: (StepMinor.WAITING, "the operation waits to be resumed"),
    Phase.SUSPENDED: (StepMinor.PAUSED, "the operation is paused"),
    Phase.HELD: (StepMinor.HELD, "a guard forbids it in this machine mode"),
    Phase.QUEUED: (StepMinor.WAITING, "no replica has taken the operation yet"),
}
"""What all steps of an operation in such a phase wait for."""


def with_waits(unit: UnitOfWork, operation: Operation, steps: Sequence[Step]) -> list[Step]:
    """Steps, those that have not begun with what they wait for."""
    if not any(each.state is StepState.PENDING for each in steps):
        return list(steps)
    if operation.phase in STANDING:
        minor, message = STANDING[operation.phase]
        return [
            replace(each, minor_state=minor, message=message)
            if each.state is StepState.PENDING
            else each
            for each in steps
        ]
    waits = Waits(operation, open_steps(unit, operation.key))
    return [waits.told(each) if each.state is StepState.PENDING else each for each in steps]


class Waits:
    """The open steps of one operation, asked for what a step waits for."""

    def __init__(self, operation: Operation, steps: Sequence[OpenStep]) -> None:
        self._descends = operation.order.verb in DESCENDING
        self._open: dict[bool, dict[str, OpenStep]] = {False: {}, True: {}}
        self._levels: dict[bool, Counter[int]] = {False: Counter(), True: Counter()}
        for each in steps:
            self._open[each.is_way_back][each.id] = each
            self._levels[each.is_way_back][each.level] += 1
        self._dependent = {
            is_back: [each for each in open_.values() if each.requires or each.after]
            for is_back, open_ in self._open.items()
        }
        self._first: dict[tuple[bool, str], OpenStep | None] = {}
        self._limits = operation.order.limits
        self._executing = Counter(
            each.unit_server for each in steps if each.state is StepState.EXECUTING
        )

    def told(self, step: Step) -> Step:
        minor, message = self._reason(step)
        return replace(step, minor_state=minor, message=message)

    def _reason(self, step: Step) -> tuple[StepMinor, str]:
        descends = self._descends is not step.is_way_back
        levels = self._levels[step.is_way_back]
        ahead = [n for n in levels if (n > step.level if descends else n < step.level)]
        if ahead:
            level = max(ahead) if descends else min(ahead)
            count = levels[level]
            units = "1 unit" if count == 1 else f"{count} units"
            return StepMinor.WAITING_FOR_LEVEL, f"waits for {units} of level {level}"
        waited = self._waited_for(step, descends=descends)
        if waited is not None:
            return StepMinor.WAITING_FOR_UNIT, f"waits for {waited.id}, which is {waited.state}"
        return self._place(step)

    def _waited_for(self, step: Step, *, descends: bool) -> OpenStep | None:
        if descends:
            found = (
                each
                for each in self._dependent[step.is_way_back]
                if any(covers(on, step.id) for on in (*each.requires, *each.after))
            )
            return next((each for each in found if each.id != step.id), None)
        waited = (
            self._open_of(on, is_way_back=step.is_way_back) for on in (*step.requires, *step.after)
        )
        return next((each for each in waited if each is not None), None)

    def _open_of(self, on: str, *, is_way_back: bool) -> OpenStep | None:
        """The first open step of a unit, or of a group."""
        open_ = self._open[is_way_back]
        if not is_group(on):
            return open_.get(on)
        asked = (is_way_back, on)
        if asked not in self._first:
            of_group = (each for id, each in open_.items() if covers(on, id))
            self._first[asked] = next(of_group, None)
        return self._first[asked]

    def _place(self, step: Step) -> tuple[StepMinor, str]:
        most, executing = self._limits.at_once, self._executing.total()
        if most and executing >= most:
            return StepMinor.WAITING_FOR_PLACE, f"{executing} of {most} are under way"
        most, executing = self._limits.a_unit_server, self._executing[step.unit_server]
        if most and executing >= most:
            where = f"{executing} of {most} are under way at {step.unit_server}"
            return StepMinor.WAITING_FOR_PLACE, where
        return StepMinor.WAITING, "it begins now"
