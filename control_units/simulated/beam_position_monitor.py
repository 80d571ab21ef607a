"""A simulated beam-position monitor."""

from __future__ import annotations

import random

from control_units.attributes import attribute
from control_units.simulated.device import SimulatedDevice

NOISE_MM = 0.005
WANDER_MM = 0.002
PULL = 0.98


class BeamPositionMonitor(SimulatedDevice):
    """Sees a beam that wanders slowly about the centre, with noise."""

    x = attribute(unit="mm", default=0.0, description="Horizontal position of the beam.")
    y = attribute(unit="mm", default=0.0, description="Vertical position of the beam.")
    intensity = attribute(unit="mA", default=0.0, description="Sum of the four electrodes.")

    async def on_start(self) -> None:
        self._x, self._y = random.gauss(0.0, 0.1), random.gauss(0.0, 0.1)

    async def on_cycle(self) -> None:
        self._x = self._x * PULL + random.gauss(0.0, WANDER_MM)
        self._y = self._y * PULL + random.gauss(0.0, WANDER_MM)
        self.show("x", random.gauss(self._x, NOISE_MM))
        self.show("y", random.gauss(self._y, NOISE_MM))
        self.show("intensity", max(0.0, random.gauss(1.5, 0.01)))
