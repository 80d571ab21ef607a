"""A unit server of power supplies, run by tests as a program: `power_supplies.py UNIT_SERVER`.

Which supply cannot start is said by its configuration: the test changes it and sees the page.
"""

import sys

from control_units import ControlUnit, Direction, RecoverableError, attribute, run


class PowerSupply(ControlUnit):
    interlock = attribute(type=str, default="closed", direction=Direction.INPUT)
    current_readback = attribute(unit="A")

    async def on_start(self) -> None:
        if self.interlock != "closed":
            raise RecoverableError(f"interlock is {self.interlock}")


if __name__ == "__main__":
    run(PowerSupply, unit_server=sys.argv[1])
