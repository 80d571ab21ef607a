"""One replica carries one operation on, for as long as it holds it.

Everything is level-triggered: what a unit has come to is read from its rows, whatever woke us;
each transaction tests the fence first. So it can be cut off anywhere, and another replica takes
it up from what is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.orchestration.advance import ENDED, StepState
from metadata_server.domain.orchestration.course import STOPPED, Course
from metadata_server.domain.orchestration.operation import BREAKING_OFF, Minor, Operation, Phase
from metadata_server.domain.orchestration.operation_step import Step, StepMinor, Verdict
from metadata_server.services.orchestration.barred_steps import held_off
from metadata_server.services.orchestration.holding import held
from metadata_server.services.orchestration.overtaking import named
from metadata_server.services.orchestration.releasing import look_later, still_held
from metadata_server.services.orchestration.step_begin import BEGINNING, Begun, begin
from metadata_server.services.orchestration.taking_back import put_aside, take_back
from metadata_server.store.orchestration.operation_steps import (
    end_steps,
    seen_of,
    steps_of,
)
from metadata_server.store.orchestration.operations import (
    Fenced,
    keep_operation,
    lease_end,
    operations_of,
    write_operation,
)
from metadata_server.store.store import Store
from metadata_server.store.traces import Traces
from metadata_server.store.unit_of_work import UnitOfWork

BEGUN_AT_ONCE = 1_000
LOOK_AGAIN_S = 1.0
"""Units that are under way are looked at so often, whatever is heard of them."""
GATHERING_S = 0.03
"""Reports that come one after the other are looked at together."""


@dataclass(frozen=True, slots=True)
class Hold:
    """That a replica holds an operation."""

    key: int
    fence: int
    replica: str
    lease_us: int


@dataclass(slots=True)
class Written:
    """What a transaction has written.

    Attributes:
        begun: steps that are under way now, as their rows are.
        silent: keys of units that may be there already, or have nobody who says where they are.
        verdicts: where others stand, by position.
        deadlines: of those that have new ones.
        now_us: when it was written.
        looks_later: it is held, and a look would release it at once: round and round.
    """

    operation: Operation
    now_us: int
    begun: list[Step] = field(default_factory=list)
    silent: set[int] = field(default_factory=set)
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    deadlines: dict[int, int] = field(default_factory=dict)
    looks_later: bool = False


class Advance:
    """Carries one operation on."""

    def __init__(self, store: Store, hold: Hold, traces: Traces) -> None:
        self._store = store
        self._traces = traces
        self._hold = hold
        self._news: set[int] = set()
        self._wake = asyncio.Event()
        self._now_us = 0
        self._looked_s = self._kept_s = float("-inf")
        self._written = 0
        self._looks_later = False

    @property
    def has_written(self) -> bool:
        """Whether it has come on at all."""
        return self._written > 0

    def hear(self, unit_key: int, revision: int) -> None:
        """Something has changed of a unit; what was changed here last is no news."""
        if revision != self._written:
            self._news.add(unit_key)
            self._wake.set()

    def look_again(self) -> None:
        """Something may have been missed."""
        self._looked_s = float("-inf")
        self._wake.set()

    async def load(self) -> frozenset[int]:
        """Takes the operation up as it is stored; the keys of its units.

        Raises:
            Fenced: it is not ours any more.
            Refused: DATABASE_UNAVAILABLE.
        """
        hold = self._hold

        def work(unit: UnitOfWork) -> tuple[Operation, list[Step], int]:
            operation = operations_of(unit, [hold.key])[hold.key]
            return operation, steps_of(unit, hold.key), unit.now_us

        operation, steps, self._now_us = (await self._store.read(work)).value
        if operation.fence != hold.fence:
            raise Fenced
        self._course = Course(operation, steps)
        self.look_again()
        return frozenset(self._course.by_unit)

    async def run(self) -> None:
        """Goes on until the operation has ended, or there is nothing to do but for people.

        Raises:
            Fenced: others have taken it, or people have steered it.
            Refused: DATABASE_UNAVAILABLE, OUTCOME_UNKNOWN, CONTENTION.
        """
        while True:
            verdicts = await self._look()
            if self._course.is_out_of_time(self._now_us):
                await self._break_off()  # and then looks again at what it has just seen
                continue
            # One that waits to be tried again may have come to an end, and its time all the same.
            ended = {at for at, verdict in verdicts.items() if verdict.state in ENDED}
            next_ = self._course.next_to_begin(BEGUN_AT_ONCE, now_us=self._now_us)
            beginning = [each for each in next_ if each.position not in ended]
            verdicts |= self._course.ended_by_rule()
            if verdicts or beginning or self._is_told_as_queued():
                await self._write(verdicts, beginning)
            elif await self._settle():
                return
            else:
                await self._wait()

    def _is_told_as_queued(self) -> bool:
        """Whether it is under way, and yet stands there as one that no replica has taken: so it is
        resumed, and begins nothing new."""
        return self._course.operation.phase is Phase.QUEUED and bool(self._course.under_way)

    async def _look(self) -> dict[int, Verdict]:
        """What has become of steps that are under way, by position, where that is not what is
        written."""
        course, now_s = self._course, asyncio.get_running_loop().time()
        if now_s - self._looked_s >= LOOK_AGAIN_S:
            self._looked_s = now_s
            self._news |= {course.step(each).unit_key for each in course.under_way}
        steps = [step for key in self._news if (step := course.step_of(key)) is not None]
        self._news.clear()
        if not steps:
            return {}

        def work(unit: UnitOfWork) -> tuple[dict[int, Verdict], int]:
            return looked_at(unit, course, steps), unit.now_us

        verdicts, self._now_us = (await self._store.read(work)).value
        return verdicts

    async def _write(self, verdicts: Mapping[int, Verdict], beginning: Sequence[Step]) -> None:
        """Writes where steps stand, and has others begin, as one revision."""
        course, hold = self._course, self._hold

        def work(unit: UnitOfWork) -> Written:
            keep_operation(unit, hold.key, hold.fence, lease_us=hold.lease_us)
            return written(unit, course, verdicts, beginning, lease_us=hold.lease_us)

        caller = caller_of(course.operation, hold.replica) if beginning else None
        answer = await self._store.transact(work, caller=caller)
        self._kept_s = asyncio.get_running_loop().time()
        self._now_us = answer.value.now_us
        course.operation = answer.value.operation
        self._looks_later |= answer.value.looks_later
        course.begun(answer.value.begun)
        self._trace(answer.value)
        course.take(answer.value.verdicts, answer.value.deadlines)
        self._written = answer.position.revision
        self._news |= answer.value.silent
        if beginning and answer.value.operation.phase is Phase.HELD:
            await self.load()  # what guards hold off has not begun, though its turn had come

    def _trace(self, written: Written) -> None:
        """Tells of steps that have ended, each as a part of nothing: a call that gives an order
        does not wait for it."""
        operation = self._course.operation
        for position, verdict in written.verdicts.items():
            step = self._course.step(position)
            if step.start_time_us and verdict.state in ENDED:
                self._traces.happened(
                    f"Operations.{operation.order.verb.lower()}",
                    begin_us=step.start_time_us,
                    end_us=max(written.now_us, step.start_time_us),
                    ordered_by=operation.trace,
                    operation=operation.id,
                    control_unit=step.id,
                    state=verdict.state,
                    minor_state=verdict.minor_state,
                )

    async def _break_off(self) -> None:
        """Nothing more begins: the time of the operation is over."""
        course = self._course
        verdict = Verdict(StepState.ABORTED, StepMinor.OUT_OF_TIME)
        course.operation = replace(
            course.operation, phase=Phase.EXECUTING, minor_state=Minor.TIMED_OUT
        )
        await self._write(dict.fromkeys(course.pending(), verdict), ())
        await self.load()

    async def _settle(self) -> bool:
        """Ends what is over, or puts aside what waits for people; whether there is nothing more
        to do."""
        course, hold = self._course, self._hold
        back = course.way_back() if course.is_over else ()
        how = {"fence": hold.fence, "lease_us": hold.lease_us}
        if course.is_over and not back:
            await self._store.transact(lambda unit: finish(unit, course, hold))
            return True
        if course.operation.phase is Phase.HELD:  # guards may well let it be taken back
            return await self._hold_off()
        if course.operation.phase in STOPPED and not course.under_way:
            await self._store.transact(lambda unit: put_aside(unit, course, back, **how))
            return True
        if back:
            await self._store.transact(lambda unit: take_back(unit, course, back, **how))
            await self.load()
            return False
        if asyncio.get_running_loop().time() - self._kept_s > hold.lease_us / 3_000_000:
            await self._store.transact(
                lambda unit: keep_operation(unit, hold.key, hold.fence, lease_us=hold.lease_us)
            )
            self._kept_s = asyncio.get_running_loop().time()
        return False

    async def _hold_off(self) -> bool:
        """Lets go of an operation that a guard still holds off; one that is free goes on."""
        course, hold = self._course, self._hold

        def work(unit: UnitOfWork) -> bool:
            if not self._looks_later:
                return still_held(unit, course, fence=hold.fence, lease_us=hold.lease_us)
            if course.is_quiet:
                look_later(unit, course.operation, fence=hold.fence)
            return True

        if (await self._store.transact(work)).value:
            return course.is_quiet
        await self.load()
        return False

    async def _wait(self) -> None:
        """Until something is heard, or it is time to look."""
        try:
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._wake.wait()
            await asyncio.sleep(GATHERING_S)
        except TimeoutError:
            pass
        self._wake.clear()


def looked_at(unit: UnitOfWork, course: Course, steps: Sequence[Step]) -> dict[int, Verdict]:
    """Where steps stand now, by position, of those that stand elsewhere than is written."""
    seen = seen_of(unit, [each.unit_key for each in steps])
    found = {}
    for step in steps:
        verdict = course.verdict(step, seen[step.unit_key], unit.now_us)
        if verdict != (step.state, step.minor_state, step.message):
            found[step.position] = verdict
    revisions = {
        position: seen[course.step(position).unit_key].intent_revision for position in found
    }
    return named(unit, found, revisions)


def written(
    unit: UnitOfWork,
    course: Course,
    verdicts: Mapping[int, Verdict],
    beginning: Sequence[Step],
    *,
    lease_us: int,
) -> Written:
    """Writes verdicts and beginnings, the fence having been tested. A transaction may come long
    after it was asked for: where the time is over by then, nothing begins."""
    operation = course.operation
    if course.is_out_of_time(unit.now_us):
        beginning = ()
    begun = begin(unit, operation.key, operation.order, beginning) if beginning else Begun()
    deadlines = {
        position: course.deadline_us(course.step(position), verdict, unit.now_us)
        for position, verdict in verdicts.items()
    }
    end_steps(
        unit,
        operation.key,
        [(position, verdict, deadlines[position]) for position, verdict in verdicts.items()],
        was=BEGINNING,
    )
    every = {**verdicts, **begun.ended}
    states = {position: verdict.state for position, verdict in every.items()}
    states |= {each.position: each.state for each in begun.under_way}
    changed = replace(operation, counts=course.counts(states))
    if changed.phase is Phase.QUEUED:
        minor_state = Minor.ROLLING_BACK if course.is_back else Minor.RUNNING
        changed = replace(changed, phase=Phase.EXECUTING, minor_state=minor_state)
    why = held_off(unit, operation.order, begun.held) if begun.held else ""
    if begun.held:
        changed = held(changed, why or begun.why)
    if not changed.start_time_us and states:
        changed = replace(changed, start_time_us=unit.now_us)
    due_us = lease_end(unit, lease_us)
    changed = write_operation(unit, changed, due_us=due_us, fence=operation.fence)
    later = bool(begun.held) and not why
    return Written(changed, unit.now_us, begun.under_way, begun.silent, every, deadlines, later)


def finish(unit: UnitOfWork, course: Course, hold: Hold) -> None:
    keep_operation(unit, hold.key, hold.fence, lease_us=hold.lease_us)
    end = course.end()
    ended = replace(
        course.operation,
        phase=end.phase,
        minor_state=end.minor_state,
        message=end.message,
        start_time_us=course.operation.start_time_us or unit.now_us,
        end_time_us=unit.now_us,
        replica="",
        counts=course.counts({}),
    )
    write_operation(unit, ended, due_us=None, fence=hold.fence)


def give_up(unit: UnitOfWork, hold: Hold, why: str) -> None:
    """Pauses an operation that cannot be carried on, until people have looked at it. One that is
    being broken off stays so: paused, it could begin again what was to begin no more.

    Args:
        why: a sentence.

    Raises:
        Fenced: it is not ours any more.
    """
    keep_operation(unit, hold.key, hold.fence, lease_us=hold.lease_us)
    operation = operations_of(unit, [hold.key])[hold.key]
    stopped = replace(
        operation, message=f"{why} Look at its units, then abort it again.", replica=""
    )
    if operation.minor_state not in BREAKING_OFF:
        message = f"{why} Look at its units, then resume or abort it."
        stopped = replace(stopped, phase=Phase.SUSPENDED, minor_state=Minor.PAUSED, message=message)
    write_operation(unit, stopped, due_us=None, fence=hold.fence)


def caller_of(operation: Operation, replica: str) -> Caller:
    """Whose change it is that units are told: that of who gave the order, who may do by it what it
    took the role for, and no more."""
    return Caller(
        principal=Principal(operation.author, operation.authenticated, operation.role),
        method="Operations.CreateOperation",
        reason=operation.reason or f"{operation.order.verb} by {operation.name}",
        client=replica,
    )
