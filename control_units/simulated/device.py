"""What simulated devices share."""

from __future__ import annotations

from typing import Any

from control_units.attributes import Direction
from control_units.control_unit import ControlUnit
from control_units.values import ValueType


class SimulatedDevice(ControlUnit):
    """A device that is only numbers. A template may have given its attributes other types and
    directions than its code has; it then does what still makes sense."""

    def number(self, name: str, otherwise: float = 0.0) -> float:
        """A set-point as a number; `otherwise` where it is not set, or is none."""
        value = self.values().get(name, otherwise)
        return float(value) if isinstance(value, int | float) else otherwise

    def show(self, name: str, value: Any) -> None:
        """Sets a read-back, in the type that the attribute has."""
        described = self.attributes.get(name)
        if described is None or described.direction is Direction.INPUT or described.shape:
            return
        if described.type.is_whole:
            value = round(value)
        elif described.type is ValueType.BOOL:
            value = bool(value)
        elif described.type is ValueType.STRING:
            value = str(value)
        elif not described.type.is_real:
            return
        self.write(name, value)
