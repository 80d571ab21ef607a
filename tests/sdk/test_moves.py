"""Units that go from one live unit server to another."""

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1 import bundle_pb2, control_unit_pb2, unit_server_pb2

from control_units import State
from control_units.unit_server import UnitServer
from tests.sdk.laboratory import Laboratory, Probe
from tests.stages.waiting import until


class Reluctant(Probe, implementation="Probe"):
    """Lets go of its device when a test lets it."""

    hook_deadline = 10.0
    gate: ClassVar[asyncio.Event]

    async def on_deinit(self) -> None:
        await self._do("deinit")
        await self.gate.wait()
        await self._do("deinitialised")


@pytest.fixture(autouse=True)
async def gate() -> AsyncIterator[None]:
    Reluctant.gate = asyncio.Event()
    yield
    Reluctant.gate.set()


async def test_a_device_is_driven_by_one_unit_server_at_a_time(lab: Laboratory) -> None:
    other = f"unit_servers/{lab.name}_OTHER"
    await lab.declare("A")
    await lab.apply([bundle_pb2.BundleItem(unit_server=unit_server_pb2.UnitServer(name=other))])
    lab.serve([Reluctant])
    rival = UnitServer(
        [Probe], f"{lab.name}_OTHER", address=lab.client.addresses, state_folder=lab.folder
    )
    lab.begin(rival)
    await lab.until_states(A=State.RUNNING)
    await until(lambda: rival.is_attached)
    moved = control_unit_pb2.ControlUnit(
        name=f"control_units/{lab.name}/A", etag="*", unit_server=other
    )
    await lab.client.control_units.UpdateControlUnit(
        control_unit_pb2.UpdateControlUnitRequest(
            control_unit=moved, update_mask=FieldMask(paths=["unit_server"])
        )
    )
    await until(lambda: "A deinit" in Probe.done)
    neighbour = control_unit_pb2.ControlUnit(
        name=f"control_units/{lab.name}/B", template="templates/Probe", unit_server=other
    )
    await lab.apply([bundle_pb2.BundleItem(control_unit=neighbour)])
    await until(lambda: f"{lab.name}/B" in rival.hosting.units)
    assert f"{lab.name}/A" not in rival.hosting.units
    assert (await lab.status("A")).message.startswith(f"It has left unit server {lab.name};")
    Reluctant.gate.set()
    await until(lambda: Probe.done.count("A start") == 2)
    assert Probe.done[-4:] == ["A deinit", "A deinitialised", "A init", "A start"]
