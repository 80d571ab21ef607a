"""The rounds of work of running units."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from control_units import hooks
from control_units.control_unit import ControlUnit
from control_units.slow_hooks import SlowHooks

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Cycle:
    """Calls `on_cycle` of one unit again and again; between two rounds it costs one timer.

    Args:
        context: that rounds have: none is a part of the step that began them.

    Attributes:
        stuck: end of a round that could not be ended in time; None: there is none.
    """

    def __init__(
        self,
        unit: ControlUnit,
        spawn: Spawn,
        slots: asyncio.Semaphore,
        slow: SlowHooks,
        *,
        context: Context,
    ) -> None:
        self._unit = unit
        self._context = context
        self._spawn = spawn
        self._slots = slots
        self._slow = slow
        self._timer: asyncio.TimerHandle | None = None
        self._round: asyncio.Task[None] | None = None
        self._is_on = False
        self.stuck: hooks.Ended | None = None

    def begin(self) -> None:
        """Starts the rounds; units that start together spread over the period."""
        if self._is_on or type(self._unit).on_cycle is ControlUnit.on_cycle:
            return
        self._is_on = True
        self._plan(random.uniform(0.0, self._unit.cycle_period))

    async def end(self) -> None:
        """Starts no more rounds and waits for the one under way, which has a deadline."""
        self._is_on = False
        if self._timer is not None:
            self._timer.cancel()
        if self._round is not None:
            await asyncio.wait({self._round})

    def _plan(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(
            seconds, self._begin_round, context=self._context
        )

    def _begin_round(self) -> None:
        self._round = self._spawn(self._go_round())

    async def _go_round(self) -> None:
        unit = self._unit
        try:
            await hooks.call(
                unit.on_cycle,
                deadline=unit.hook_deadline,
                slots=self._slots,
                watch=self._slow.watch("on_cycle", unit.hook_warning),
            )
        except Exception as error:  # noqa: BLE001  # the author's code may raise anything
            self._is_on = False
            self.stuck = error.ended if isinstance(error, hooks.StillRunning) else None
            unit.fail(hooks.words(error), fatal=hooks.is_fatal(error))
        if self._is_on:
            self._plan(unit.cycle_period)
