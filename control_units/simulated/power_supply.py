"""A simulated power supply."""

from __future__ import annotations

import random

from control_units.attributes import Direction, attribute
from control_units.simulated.device import SimulatedDevice
from control_units.values import ValueType

RAMP_A_PER_S = 5.0
LOAD_OHM = 0.12
RIPPLE_A = 0.002


class PowerSupply(SimulatedDevice):
    """Ramps its current towards the set-point; in stand-by, towards zero."""

    current = attribute(direction=Direction.INPUT, unit="A", default=0.0, description="Set-point.")
    polarity = attribute(
        type=ValueType.INT8, direction=Direction.INPUT, default=1, description="-1, 0 (open) or 1."
    )
    stby = attribute(
        type=ValueType.BOOL, direction=Direction.INPUT, default=False, description="Stand-by."
    )
    current_readback = attribute(unit="A", default=0.0, description="Current in the load.")
    voltage = attribute(unit="V", default=0.0, description="Voltage across the load.")
    is_ramping = attribute(type=bool, default=False, description="Not yet at the set-point.")

    async def on_init(self) -> None:
        self._current = 0.0
        self._show()

    async def on_cycle(self) -> None:
        wanted = 0.0 if self.number("stby") else self.number("current") * self.number("polarity", 1)
        step = RAMP_A_PER_S * self.cycle_period
        self._current += max(-step, min(step, wanted - self._current))
        self._show(is_ramping=self._current != wanted)

    async def on_deinit(self) -> None:
        self._current = 0.0
        self._show()

    def _show(self, *, is_ramping: bool = False) -> None:
        measured = self._current + random.gauss(0.0, RIPPLE_A) if self._current else 0.0
        self.show("current_readback", measured)
        self.show("voltage", measured * LOAD_OHM)
        self.show("is_ramping", is_ramping)
