"""One control unit in its unit server: what is wanted of it, and what it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from mds.v1 import configuration_pb2, registration_pb2

from control_units import hooks
from control_units.configuration import Configuration, effective
from control_units.control_unit import ControlUnit
from control_units.convergence import Situation, Step, next_step
from control_units.cycle import Spawn
from control_units.fingerprint import fingerprint
from control_units.lifecycle import Lifecycle
from control_units.recovery import Patience, Recovery
from control_units.sendable import sendable
from control_units.states import State

_WAITS = " What is wanted of it since then has to wait."
_FOLLOWS = "Waits until those that were here before have let go of their hardware."

_BREAKDOWNS = 3
"""As often it may fail in a way that nobody foresaw, before it is left for the next change."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a unit is, as it is reported.

    Attributes:
        since: when it came to be in its state, by the steady clock, in s.
        fingerprint: of what it has applied; empty: nothing.
        unfenced: it started from its copy on disk and no server has confirmed it yet.
        attempts: made by its unit server itself to get it out of its error.
        next_attempt: when the next one is due, by the steady clock, in s; None: there is none.
        hanging_hook: that has not returned for long; empty: none.
    """

    state: State
    since: float
    message: str = ""
    reached_generation: int = 0
    reached_recover_count: int = 0
    fingerprint: str = ""
    unfenced: bool = False
    attempts: int = 0
    next_attempt: float | None = None
    hanging_hook: str = ""


class HostedUnit:
    """A control unit, converging by level: each change of what is wanted or of what it is wakes
    it, and it does steps until there is none to do.

    Args:
        after: those that leave and may hold its hardware; it begins when they have settled.

    Attributes:
        told: configuration that the server last told; None: none yet.
        wanted: that configuration merged over the class's dataset, with its fingerprint.
        good: configuration that it last was initialised with.
        standing: what it is now.
        is_held: the lease is lost, and units shall not run without one.
    """

    def __init__(
        self,
        id: str,
        hosted_class: type[ControlUnit],
        *,
        spawn: Spawn,
        slots: asyncio.Semaphore,
        on_change: Callable[[HostedUnit], None],
        on_values: Callable[[HostedUnit], None],
        recover_attempts: int | None = None,
        after: Sequence[HostedUnit] = (),
    ) -> None:
        self.id, self.hosted_class = id, hosted_class
        self.told: configuration_pb2.Configuration | None = None
        self.good: configuration_pb2.Configuration | None = None
        self.wanted = Configuration(attributes=hosted_class.dataset)
        self.wanted_fingerprint = ""
        self.standing = Standing(State.UNLOADED, time.monotonic())
        self.assignment = registration_pb2.Assignment()
        self.is_held = self._is_leaving = self._was_barred = False
        self._target = State.UNSPECIFIED
        self._failure: tuple[str, bool] | None = None
        self._step_generation = self._failed_generation = 0
        self._recovery = Recovery()
        self._recover_attempts = recover_attempts
        self._next_attempt: asyncio.TimerHandle | None = None
        self._after = after
        self._task: asyncio.Task[None] | None = None
        self._spawn = spawn
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._life = Lifecycle(
            id,
            hosted_class,
            spawn=spawn,
            slots=slots,
            on_failure=self.fail_from_any_thread,
            on_values=lambda: on_values(self),
            on_slow=self._say_slow,
        )

    @property
    def unit(self) -> ControlUnit | None:
        """The author's object; None while the unit is not loaded."""
        return self._life.unit

    @property
    def applied_fingerprint(self) -> str:
        return self.standing.fingerprint

    @property
    def problem(self) -> str:
        """Why the server says that it cannot be built here; empty: it can."""
        return self.assignment.problem.message if self.assignment.HasField("problem") else ""

    def assign(
        self, assignment: registration_pb2.Assignment, hosted_class: type[ControlUnit]
    ) -> None:
        """Takes over what people want of it. Without a configuration, that held stands; with
        another class it is built anew. ValueError: this release does not know a number in it,
        and nothing has been taken over."""
        target = State(assignment.desired_state) or self._target
        if assignment.HasField("configuration"):
            self.wanted = effective(hosted_class.dataset, assignment.configuration)
            self.wanted_fingerprint = fingerprint(self.wanted)
            self.told = assignment.configuration
        is_news = assignment.generation != self.assignment.generation
        self.assignment, self.hosted_class, self._target = assignment, hosted_class, target
        if is_news:
            self._take_news()
        self._step_back()
        self.wake()

    def _step_back(self) -> None:
        """A server that was restored from a backup counts on from where it was then: what was
        reached here since must not be taken for what it says next."""
        assignment = self.assignment
        if assignment.generation < self._failed_generation:
            self._failed_generation = 0
        if assignment.recover_count < self.standing.reached_recover_count:
            self._change(reached_recover_count=assignment.recover_count)

    def rename(self, id: str) -> None:
        """It goes on under another id, whatever it is doing."""
        self.id = self._life.id = id
        if self.unit is not None:
            self.unit.id = id

    def leave(self) -> None:
        """It is no longer hosted here, or the process ends: it lets go of its hardware, for good."""
        self._is_leaving = True
        if self._next_attempt is not None:
            self._next_attempt.cancel()
        self.wake()

    def hold(self, *, is_held: bool) -> None:
        """While it is held it does not run, whatever is desired."""
        self.is_held = is_held
        self.wake()

    def fence(self, *, unfenced: bool) -> None:
        """Says whether a server has confirmed what it does."""
        self._change(unfenced=unfenced)

    def wake(self) -> None:
        """Has it look again at what there is to do."""
        if self._task is None or self._task.done():
            self._task = self._spawn(self._converge())

    @property
    def is_converging(self) -> bool:
        """Whether there is something that it has yet to do."""
        return self._task is not None and not self._task.done()

    @property
    def has_let_go(self) -> bool:
        """Whether it is nowhere near its hardware any more, once it was told to leave."""
        stuck = self._life.stuck
        is_unloaded = self._life.unit is None and not self.is_converging
        return is_unloaded and (stuck is None or stuck.done())

    async def settled(self) -> None:
        """Returns when it has nothing more to do."""
        while self._task is not None and not self._task.done():
            await asyncio.wait({self._task})

    async def gone(self) -> None:
        """Returns when it has let go, after it was told to leave; a hook that hangs is waited for
        as long as it does."""
        await self.settled()
        if self._life.stuck is not None:
            await asyncio.wait({self._life.stuck})

    async def _follow(self) -> None:
        """Waits for those before it. What hangs in a hook of a namesake hangs in its own: a hook
        that cannot be ended may still have its hands on the same hardware."""
        if not self._after:
            return
        self._change(message=_FOLLOWS)
        for before in self._after:
            await before.settled()
            if before.id == self.id:
                self._life.stuck = before._life.stuck or self._life.stuck
        self._after = ()
        self._change(message="")

    async def _converge(self) -> None:
        """Does what there is to do. After a failure that nobody foresaw it goes on only where it was
        told something else meanwhile, or leaves."""
        for _ in range(_BREAKDOWNS):
            try:
                await self._do_steps()
            except Exception as error:  # the top of its task
                log.exception("convergence_failed", control_unit=self.id)
                await self._break_down(error)
            else:
                return
            if not self._is_leaving and self.assignment.generation <= self._failed_generation:
                return

    async def _break_down(self, error: Exception) -> None:
        await self._life.fail(self.standing.state)
        self._failed_generation = self._step_generation
        self._become(State.FATAL_ERROR, f"Its unit server has failed: {hooks.words(error)}")

    async def _do_steps(self) -> None:
        await self._follow()
        while True:
            await self._take_failure()
            if self._is_barred():
                return
            step = next_step(self._situation())
            if step is not None:
                await self._take(step)
            elif self._is_to_rebuild():
                self._life.build = self.hosted_class
            else:
                break
        self._reach()

    async def _take(self, step: Step) -> None:
        generation, recover_count = self.assignment.generation, self.assignment.recover_count
        before = self.standing.state
        self._step_generation = generation
        if step is Step.RECOVER:
            is_ordered = recover_count > self.standing.reached_recover_count
            self._recovery.begin(is_ordered=is_ordered)
        wanted, wanted_fingerprint, told = self.wanted, self.wanted_fingerprint, self.told
        arrival = await self._life.perform(step, before, wanted)
        changes: dict[str, Any] = {}
        if step is Step.INIT and arrival.state is State.INITIALIZED:
            self.good = told
            changes["fingerprint"] = wanted_fingerprint
        if step is Step.RECOVER:
            changes["reached_recover_count"] = recover_count
        if arrival.state.is_error:
            self._failed_generation = generation
            self._plan_attempt(arrival.state)
            log.warning(
                "control_unit_failed",
                control_unit=self.id,
                step=step.name,
                state=arrival.state.name,
                message=arrival.message,
            )
        self._become(arrival.state, arrival.message, **changes)

    async def _take_failure(self) -> None:
        failure, self._failure = self._failure, None
        state = self.standing.state
        if failure is None or state.is_error or state is State.UNLOADED:
            return
        message, is_fatal = failure
        await self._life.fail(state)
        self._failed_generation = self.assignment.generation
        found = State.FATAL_ERROR if is_fatal else State.RECOVERABLE_ERROR
        self._plan_attempt(found)
        log.warning("control_unit_failed", control_unit=self.id, state=found.name, message=message)
        self._become(found, message)

    def _is_barred(self) -> bool:
        """Whether it cannot be built here. One that has been built goes on as it is."""
        is_left = self._is_leaving or self.assignment.in_maintenance
        if is_left or self._life.unit is not None:
            return False
        if self.problem:
            is_wanted = self._target not in {State.UNSPECIFIED, State.UNLOADED}
            self._become(State.FATAL_ERROR if is_wanted else State.UNLOADED, self.problem)
            self._was_barred = True
        elif self._was_barred:
            self._become(State.UNLOADED)
            self._was_barred = False
        return self._was_barred

    def _situation(self) -> Situation:
        standing = self.standing
        desired = self._target
        if self.is_held and desired is State.RUNNING:
            desired = State.STOPPED
        return Situation(
            state=standing.state,
            desired=desired,
            is_configured=standing.fingerprint == self.wanted_fingerprint,
            is_recover_due=self.assignment.recover_count > standing.reached_recover_count
            or self._recovery.is_due,
            is_init_due=self.assignment.generation > self._failed_generation,
            holds_hardware=self._life.holds_hardware,
            is_leaving=self._is_leaving or self._is_to_rebuild(),
            in_maintenance=self.assignment.in_maintenance,
        )

    def _is_to_rebuild(self) -> bool:
        is_of_old_class = self.hosted_class is not self._life.build
        return is_of_old_class and not self.assignment.in_maintenance

    def _reach(self) -> None:
        """Reports what it has come to, where there is nothing more to do."""
        standing, desired = self.standing, State(self.assignment.desired_state)
        is_applied = standing.fingerprint == self.wanted_fingerprint
        is_complete = is_applied or not self.assignment.in_maintenance
        changes: dict[str, Any] = {}
        if standing.state is not State.RECOVERABLE_ERROR:
            # Nothing to recover from: the order is done with.
            changes["reached_recover_count"] = self.assignment.recover_count
        is_there = desired in {State.UNSPECIFIED, standing.state} and not standing.state.is_error
        if is_there and is_complete:
            changes["reached_generation"] = self.assignment.generation
            changes["attempts"] = 0
            self._recovery.arrive()
        self._change(**changes)
        log.info("control_unit_settled", control_unit=self.id, state=standing.state.name)

    def _take_news(self) -> None:
        """People have said something else: an error is tried again as if it were new, and one
        who waits for a hook to return hears that this waits, too."""
        self._recovery.forget()
        is_ordered = self.assignment.recover_count > self.standing.reached_recover_count
        if self.standing.state is State.RECOVERABLE_ERROR and not is_ordered:
            self._plan_attempt(self.standing.state)
            self._change(attempts=0, next_attempt=self._recovery.next)
        if self.standing.hanging_hook and not self.standing.message.endswith(_WAITS):
            self._change(message=self.standing.message + _WAITS)

    def _plan_attempt(self, state: State) -> None:
        """Has a unit that has failed wake up when it may be tried again."""
        patience = Patience.of(self.hosted_class, attempts=self._recover_attempts)
        is_wanted = state is State.RECOVERABLE_ERROR and bool(self.assignment.desired_state)
        pause = self._recovery.fail(patience) if is_wanted else None
        if self._next_attempt is not None:
            self._next_attempt.cancel()
        if pause is not None:
            self._next_attempt = self._loop.call_later(pause, self.wake)

    def _say_slow(self, hook: str, seconds: float) -> None:
        """A hook has not returned for so long; 0: it has, after all."""
        if not seconds:
            self._change(message="", hanging_hook="")
            return
        waits = _WAITS if self.assignment.generation != self._step_generation else ""
        message = f"{hook} has not returned for {seconds:g} s.{waits}"
        log.warning("hook_hangs", control_unit=self.id, hook=hook, seconds=seconds)
        self._change(message=message, hanging_hook=hook)

    def _become(self, state: State, message: str = "", **changes: Any) -> None:
        since = self.standing.since if state is self.standing.state else time.monotonic()
        if self._life.unit is not None:
            self._life.unit.state = state
        self._change(
            state=state,
            since=since,
            message=sendable(message[:1000]),
            attempts=self._recovery.attempts,
            next_attempt=self._recovery.next if state is State.RECOVERABLE_ERROR else None,
            **changes,
        )

    def _change(self, **changes: Any) -> None:
        before = self.standing
        self.standing = replace(before, **changes)
        if self.standing != before:
            self._on_change(self)

    def fail_from_any_thread(self, message: str, is_fatal: bool) -> None:  # noqa: FBT001
        self._failure = (message, is_fatal)
        self._loop.call_soon_threadsafe(self.wake)
