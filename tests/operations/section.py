"""A section of an accelerator: units that fail, or wait, where a test says so; and the orders to
them, on a real replica."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, ClassVar

from mds.v1.bundle_pb2 import BundleHeader, BundleItem
from mds.v1.control_unit_pb2 import ControlUnit as Declared
from mds.v1.control_unit_pb2 import GetControlUnitRequest, ListControlUnitStatusesRequest
from mds.v1.dataset_pb2 import Attribute, ValueType
from mds.v1.dataset_pb2 import Direction as WireDirection
from mds.v1.edit_pb2 import EditControlUnitsRequest, FieldEdit, UnitSelection
from mds.v1.operation_pb2 import (
    CreateOperationRequest,
    GetOperationRequest,
    Operation,
    OperationPhase,
    OrderVerb,
)
from mds.v1.operation_step_pb2 import ListOperationStepsRequest, OperationStep, StepState
from mds.v1.state_pb2 import State
from mds.v1.template_pb2 import Template
from mds.v1.unit_server_pb2 import UnitServer as DeclaredServer

from control_units import ControlUnit, Direction, RecoverableError, attribute
from control_units.client import Client
from control_units.unit_server import UnitServer
from tests.scenarios.plans import apply
from tests.stages.waiting import until

ENDED = {"COMPLETED", "ERROR", "ABORTED"}
START, STOP = OrderVerb.ORDER_VERB_START, OrderVerb.ORDER_VERB_STOP


class PowerSupply(ControlUnit, implementation="lab::PowerSupply"):
    """Fails, or waits, where a test says so."""

    current = attribute(direction=Direction.INPUT, unit="A", default=0.0)
    fails: ClassVar[set[str]] = set()
    waits: ClassVar[set[str]] = set()
    started: ClassVar[list[str]] = []

    @classmethod
    def heal(cls) -> None:
        cls.fails.clear()
        cls.waits.clear()
        cls.started.clear()

    async def on_start(self) -> None:
        self.started.append(self.id)
        while self.id in self.waits:
            await asyncio.sleep(0.02)
        if self.id in self.fails:
            raise RecoverableError("the mains are off")


class Section:
    """Units `LAB/1`, `LAB/2` … of one unit server, and orders to them."""

    def __init__(self, address: str, folder: Path) -> None:
        self.client = Client(address, principal="shift@control-room")
        self._address = address
        self._folder = folder

    async def declare(self, *units: Declared) -> None:
        """Declares units; what is missing of them is filled in."""
        template = Template(
            name="templates/lab::PowerSupply",
            implementation="lab::PowerSupply",
            attributes=[
                Attribute(
                    name="current",
                    direction=WireDirection.DIRECTION_INPUT,
                    type=ValueType.VALUE_TYPE_DOUBLE,
                    unit="A",
                )
            ],
        )
        for unit in units:
            unit.template = unit.template or template.name
            unit.unit_server = unit.unit_server or "unit_servers/LAB/SERVER"
        servers = {unit.unit_server for unit in units}
        items = [
            BundleItem(template=template),
            *(BundleItem(unit_server=DeclaredServer(name=name)) for name in sorted(servers)),
            *(BundleItem(control_unit=unit) for unit in units),
        ]
        told = await apply(self.client, items, BundleHeader(reason="the section"))
        assert told.summary.applied, told.problems

    @contextlib.asynccontextmanager
    async def hosted(self, unit_server: str = "LAB/SERVER", **how: Any) -> AsyncIterator[None]:
        """Its unit server runs, and has taken its units in."""
        server = UnitServer(
            [PowerSupply],
            unit_server,
            address=self._address,
            state_folder=self._folder / "state",
            **how,
        )
        task = asyncio.create_task(server.serve())
        try:
            await until(lambda: self._is_hosted(unit_server), what=f"{unit_server} at work")
            yield
        finally:
            server.stop()
            async with asyncio.timeout(20):
                await task

    async def _is_hosted(self, unit_server: str) -> bool:
        request = ListControlUnitStatusesRequest(unit_server=f"unit_servers/{unit_server}")
        listed = await self.client.control_units.ListControlUnitStatuses(request)
        return all(each.session for each in listed.control_unit_statuses)

    async def order(self, verb: "OrderVerb.ValueType", *units: str, **how: Any) -> Operation:
        """Gives an order; without units to all of the laboratory."""
        names = [f"control_units/{each}" for each in units]
        selection = UnitSelection(names=names, id_prefixes=[] if names else ["LAB/"])
        more = {key: how.pop(key) for key in ("all_or_none", "wait", "seen_plan") if key in how}
        order = Operation(verb=verb, selection=selection, **how)
        request = CreateOperationRequest(operation=order, reason="shift begins", **more)
        return await self.client.operations.CreateOperation(request)

    async def declared(self, id: str) -> Declared:
        request = GetControlUnitRequest(name=f"control_units/{id}")
        return await self.client.control_units.GetControlUnit(request)

    async def edit(self, id: str, *edits: FieldEdit) -> None:
        """Changes a unit beside any operation."""
        selection = UnitSelection(names=[f"control_units/{id}"])
        request = EditControlUnitsRequest(selection=selection, edits=edits)
        async for response in self.client.edits.EditControlUnits(request):
            if response.HasField("summary"):
                assert response.summary.applied

    async def get(self, name: str) -> Operation:
        return await self.client.operations.GetOperation(GetOperationRequest(name=name))

    async def ended(self, operation: Operation, *, within: float = 20.0) -> Operation:
        """The operation, once it has ended."""
        return await self.reaches(operation, *ENDED, within=within)

    async def reaches(self, operation: Operation, *phases: str, within: float = 20.0) -> Operation:
        async def there() -> Operation | None:
            now = await self.get(operation.name)
            return now if phase(now) in phases else None

        found = await until(there, within=within, what=f"{operation.name} to be {phases}")
        assert found is not None
        return found

    async def steps(self, operation: Operation) -> list[OperationStep]:
        request = ListOperationStepsRequest(operation=operation.name, page_size=1000)
        return list((await self.client.operations.ListOperationSteps(request)).steps)

    async def told(self, operation: Operation) -> dict[str, tuple[str, str]]:
        """State and minor state of each step, by unit; steps back after a `<`."""
        return {
            f"{each.control_unit.partition('/')[2]}{'<' if each.is_way_back else ''}": (
                StepState.Name(each.state).removeprefix("STEP_STATE_"),
                each.minor_state,
            )
            for each in await self.steps(operation)
        }

    async def states(self) -> dict[str, str]:
        """States of all units."""
        request = ListControlUnitStatusesRequest(id_prefix="LAB/", page_size=1000)
        listed = await self.client.control_units.ListControlUnitStatuses(request)
        return {
            each.control_unit.partition("/")[2]: State.Name(each.state).removeprefix("STATE_")
            for each in listed.control_unit_statuses
        }


def phase(operation: Operation) -> str:
    return OperationPhase.Name(operation.phase).removeprefix("OPERATION_PHASE_")


def unit(id: str, **content: Any) -> Declared:
    return Declared(name=f"control_units/{id}", **content)


def some(count: int, **content: Any) -> Iterable[Declared]:
    return [unit(f"LAB/{number}", **content) for number in range(1, count + 1)]
