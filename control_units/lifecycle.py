"""The steps of a unit's life, done on the author's object."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from control_units import hooks
from control_units.client import traces
from control_units.configuration import Configuration
from control_units.control_unit import ControlUnit
from control_units.convergence import Step
from control_units.cycle import Cycle, Spawn
from control_units.faults import FatalError, UnitFault
from control_units.slow_hooks import SlowHooks
from control_units.states import State


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a step has led.

    Attributes:
        message: why, where it is not what was wanted.
    """

    state: State
    message: str = ""


class Lifecycle:
    """One unit's object, from load to unload. Only one step at a time is under way.

    Attributes:
        build: makes the author's object, at each load.
        unit: None while the unit is not loaded.
        holds_hardware: `on_init` was called, and `on_deinit` not since.
        stuck: end of a hook that should have ended before; None: there is none.
    """

    def __init__(
        self,
        id: str,
        build: Callable[[str], ControlUnit],
        *,
        spawn: Spawn,
        slots: asyncio.Semaphore,
        on_failure: Callable[[str, bool], None],
        on_values: Callable[[], None],
        on_slow: Callable[[str, float], None],
    ) -> None:
        self.id = id
        self.unit: ControlUnit | None = None
        self.holds_hardware = False
        self.build = build
        self._spawn = spawn
        self._slots = slots
        self._on_failure = on_failure
        self._on_values = on_values
        self._slow = SlowHooks(on_slow)
        self._context = copy_context()
        self._cycle: Cycle | None = None
        self._before_error = State.LOADED
        self.stuck: hooks.Ended | None = None

    async def perform(self, step: Step, state: State, wanted: Configuration) -> Arrival:
        """Does one step from `state`; what the author's code raises becomes an error state."""
        with traces.part(f"ControlUnit.{step.name.lower()}", control_unit=self.id):
            try:
                arrival = Arrival(await self._perform(step, state, wanted))
            except hooks.StillRunning as stuck:
                self.stuck = stuck.ended
                arrival = self._failed(stuck, step, state)
            except Exception as error:  # noqa: BLE001  # authors' code raises anything
                arrival = self._failed(error, step, state)
            traces.tells(state=arrival.state.name)
        return arrival

    async def fail(self, state: State) -> None:
        """The unit said by itself that it no longer works: its rounds end."""
        self._before_error = State.STOPPED if state is State.RUNNING else state
        await self._end_cycle()

    async def _perform(self, step: Step, state: State, wanted: Configuration) -> State:
        self._check_not_stuck(step)
        match step:
            case Step.LOAD:
                return self._load()
            case Step.INIT:
                return await self._init(wanted)
            case Step.START:
                await self._call("on_start")
                return self._running()
            case Step.STOP:
                await self._end_cycle()
                self._check_not_stuck(step)  # the round may not have ended in time
                await self._call("on_stop")
                return State.STOPPED
            case Step.DEINIT:
                return await self._deinit(state)
            case Step.UNLOAD:
                self.unit = self._cycle = None
                return State.UNLOADED
            case Step.RECOVER:
                return await self._recover()

    def _load(self) -> State:
        try:
            self.unit = self.build(self.id)
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            raise FatalError(f"It cannot be built: {hooks.words(error)}") from error
        self.unit._on_failure = self._on_failure  # authors do not see it
        self.unit._on_values = self._on_values
        self._cycle = Cycle(self.unit, self._spawn, self._slots, self._slow, context=self._context)
        return State.LOADED

    async def _init(self, wanted: Configuration) -> State:
        if self.unit is None:
            self._load()
        if self.holds_hardware:
            await self._release()
        assert self.unit is not None
        try:
            self.unit.configure(wanted.attributes, wanted.drivers, wanted.parameters)
        except UnitFault as fault:
            raise FatalError(f"Its configuration cannot be used: {fault}") from fault
        self.holds_hardware = True
        await self._call("on_init")
        return State.INITIALIZED

    async def _deinit(self, state: State) -> State:
        if state.is_error:
            await self._release()
            return State.LOADED
        self.holds_hardware = False
        await self._call("on_deinit")
        return State.LOADED

    async def _release(self) -> None:
        """Lets go of the hardware after an error, as far as that still can be done."""
        self.holds_hardware = False
        for hook in ("on_stop", "on_deinit"):
            try:
                await self._call(hook)
            except hooks.StillRunning:
                raise
            except Exception:  # noqa: BLE001, S112  # it has failed already; the reason stands
                continue

    async def _recover(self) -> State:
        await self._call("on_recover")
        if self._before_error is State.RUNNING:
            return self._running()
        if self._before_error is State.LOADED and self.holds_hardware:
            await self._release()  # of an init that failed half-way
        return self._before_error

    def _running(self) -> State:
        assert self._cycle is not None
        self._cycle.begin()
        return State.RUNNING

    async def _end_cycle(self) -> None:
        if self._cycle is not None:
            await self._cycle.end()

    async def _call(self, name: str) -> None:
        unit = self.unit
        assert unit is not None
        if getattr(type(unit), name) is not getattr(ControlUnit, name):
            hook: Callable[..., Any] = getattr(unit, name)
            await hooks.call(
                hook,
                deadline=unit.hook_deadline,
                slots=self._slots,
                watch=self._slow.watch(name, unit.hook_warning),
            )

    def _check_not_stuck(self, step: Step) -> None:
        if self._cycle is not None and self._cycle.stuck is not None:
            self.stuck, self._cycle.stuck = self._cycle.stuck, None
        if self.stuck is None or self.stuck.done():
            self.stuck = None
        elif step is not Step.UNLOAD:
            raise FatalError(
                f"{step.name.lower()} cannot be done: a hook that should have ended before is "
                "still running. Restart the unit server."
            )

    def _failed(self, error: BaseException, step: Step, state: State) -> Arrival:
        if step is Step.INIT:
            self._before_error = State.LOADED
        elif not state.is_error:
            self._before_error = state
        if step is Step.DEINIT:
            self.holds_hardware = False
        found = State.FATAL_ERROR if hooks.is_fatal(error) else State.RECOVERABLE_ERROR
        return Arrival(found, hooks.words(error))
