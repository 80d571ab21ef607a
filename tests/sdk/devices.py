"""Control units that do what a test tells them, and how to ask for them."""

import asyncio
import threading
from typing import Any, ClassVar

from mds.v1 import configuration_pb2, dataset_pb2, registration_pb2

from control_units import ControlUnit, Direction, RecoverableError, State, ValueType, attribute
from control_units.hosting import HostedClasses, Hosting


class Device(ControlUnit):
    """Does what a test tells its whole class to do."""

    current = attribute(direction=Direction.INPUT, unit="A", maximum=10, default=0.0)
    plain = attribute(type=ValueType.UNSPECIFIED, direction=Direction.UNSPECIFIED)
    script: ClassVar[dict[str, Any]] = {}
    calls: ClassVar[list[str]] = []
    hook_deadline = 0.1
    recover_attempts = 0  # an error stays until a test does something about it

    async def _play(self, hook: str) -> None:
        self.calls.append(f"{self.id} {hook}")
        action = self.script.get(f"{self.id} {hook}")
        if isinstance(action, BaseException):
            raise action
        if isinstance(action, asyncio.Event):
            await action.wait()

    async def on_init(self) -> None:
        await self._play("init")

    async def on_start(self) -> None:
        await self._play("start")

    async def on_stop(self) -> None:
        await self._play("stop")

    async def on_deinit(self) -> None:
        await self._play("deinit")

    async def on_recover(self) -> None:
        await self._play("recover")


class Ticking(ControlUnit):
    ticks = attribute(type=int, default=0)
    cycle_period = 0.01
    recover_attempts = 0

    async def on_cycle(self) -> None:
        self.ticks += 1
        if self.ticks == 3:
            raise RecoverableError("three is too many")


class Stuck(ControlUnit):
    release: ClassVar[threading.Event]
    hook_deadline = 0.05

    def on_init(self) -> None:
        self.release.wait()


class StuckInItsRound(ControlUnit):
    release: ClassVar[threading.Event]
    hook_deadline = 0.05
    cycle_period = 0.01

    def on_cycle(self) -> None:
        self.release.wait()


class Unbuildable(ControlUnit):
    def __init__(self, id: str) -> None:
        super().__init__(id)
        raise OSError("no such card")


CLASSES = HostedClasses([Device, Ticking, Stuck, StuckInItsRound, Unbuildable])


def assignment(
    id: str,
    desired: State = State.RUNNING,
    *,
    implementation: str = "Device",
    generation: int = 1,
    recover_count: int = 0,
    default: str = "1",
) -> registration_pb2.Assignment:
    return registration_pb2.Assignment(
        control_unit=f"control_units/{id}",
        configuration=configuration_pb2.Configuration(
            implementation=implementation,
            attributes=[dataset_pb2.Attribute(name="current", default_value=default)],
        ),
        generation=generation,
        desired_state=desired,  # type: ignore[arg-type]  # the same numbers
        recover_count=recover_count,
    )


async def settle(hosting: Hosting) -> dict[str, State]:
    for unit in list(hosting.units.values()):
        await unit.settled()
    return {id: unit.standing.state for id, unit in hosting.units.items()}
