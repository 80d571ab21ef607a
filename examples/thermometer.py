"""A control unit from nothing: a thermometer with a heater beside it."""

import random

from control_units import ControlUnit, Direction, RecoverableError, attribute, run


class Thermometer(ControlUnit):
    target = attribute(direction=Direction.INPUT, unit="degC", default=25.0, maximum=80.0)
    temperature = attribute(unit="degC", description="What the sensor says.")
    is_heating = attribute(type=bool, default=False)

    async def on_init(self) -> None:
        self.temperature = 20.0  # here a real unit opens its hardware

    async def on_cycle(self) -> None:  # once a second while RUNNING
        self.is_heating = self.temperature < self.target
        change = 0.5 if self.is_heating else -0.2
        self.temperature += change + random.gauss(0.0, 0.05)
        if self.temperature > 90.0:
            raise RecoverableError(f"{self.temperature:.0f} degC: the heater does not turn off.")

    async def on_stop(self) -> None:
        self.is_heating = False


if __name__ == "__main__":
    run(Thermometer, unit_server="LAB_0")
