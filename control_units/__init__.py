"""What an author of control units imports.

from control_units import ControlUnit, Direction, attribute, run

class PowerSupply(ControlUnit):
    current = attribute(unit="A", minimum=-10, maximum=10, direction=Direction.INPUT)
    current_readback = attribute(unit="A")

    async def on_start(self) -> None:
        self.current_readback = 0.0

run(PowerSupply, unit_server="PS_0")
"""

from control_units.attributes import Attribute, Direction, attribute
from control_units.control_unit import ControlUnit, Driver
from control_units.faults import (
    AlreadyRunning,
    FatalError,
    NotSet,
    NotWritable,
    OutOfRange,
    RecoverableError,
    Superseded,
    Undeclared,
    UnitFault,
    UnitServerFault,
    WrongType,
)
from control_units.running import run
from control_units.states import State
from control_units.values import ValueType

__all__ = [
    "AlreadyRunning",
    "Attribute",
    "ControlUnit",
    "Direction",
    "Driver",
    "FatalError",
    "NotSet",
    "NotWritable",
    "OutOfRange",
    "RecoverableError",
    "State",
    "Superseded",
    "Undeclared",
    "UnitFault",
    "UnitServerFault",
    "ValueType",
    "WrongType",
    "attribute",
    "run",
]
