"""A simulated camera."""

from __future__ import annotations

import math
import random

from control_units.attributes import Direction, attribute
from control_units.simulated.device import SimulatedDevice

FRAME_RATE_HZ = 10.0
SATURATION_US = 20_000.0


class Camera(SimulatedDevice):
    """Counts frames; the longer it exposes, the brighter they are, up to saturation."""

    exposure = attribute(
        direction=Direction.INPUT, unit="us", default=1_000.0, description="Exposure time."
    )
    gain = attribute(direction=Direction.INPUT, unit="dB", default=0.0, description="Gain.")
    frames = attribute(type=int, default=0, description="Frames taken since start.")
    brightness = attribute(default=0.0, unit="%", description="Mean of the last frame.")

    async def on_start(self) -> None:
        self._frames = 0
        self.show("frames", 0)

    async def on_cycle(self) -> None:
        self._frames += round(FRAME_RATE_HZ * self.cycle_period)
        light = self.number("exposure", 1_000.0) * 10 ** (self.number("gain") / 20)
        mean = 100.0 * (1.0 - math.exp(-light / SATURATION_US))
        self.show("frames", self._frames)
        self.show("brightness", min(100.0, max(0.0, random.gauss(mean, 0.2))))
