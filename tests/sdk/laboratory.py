"""A small facility on a real server, for tests of unit servers."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1 import (
    bundle_pb2,
    control_unit_pb2,
    dataset_pb2,
    instantiation_pb2,
    kind_pb2,
    position_pb2,
    template_pb2,
    unit_server_pb2,
    watch_pb2,
)
from mds.v1.state_pb2 import Contact

from control_units import ControlUnit, Direction, State, attribute
from control_units.client import Client, ClientError, Unreachable
from control_units.hosted_unit import HostedUnit
from control_units.unit_server import UnitServer
from tests.stages.waiting import until

# A lease that no slow machine outlives, and one for tests that are about its end.
LONG_LEASE = {"MDS_LEASE_S": "60", "MDS_HEARTBEAT_S": "1"}
SHORT_LEASE = {"MDS_LEASE_S": "2.5", "MDS_HEARTBEAT_S": "0.8"}


class Probe(ControlUnit):
    """Notes what is done to it, and fails or hangs where a test says so."""

    current = attribute(direction=Direction.INPUT, unit="A", default=0.0, maximum=10)
    readback = attribute(unit="A")
    done: ClassVar[list[str]] = []
    faults: ClassVar[dict[str, BaseException]] = {}
    hangs: ClassVar[set[str]] = set()
    hook_deadline = 0.3
    recover_attempts = 0  # an error stays until a test does something about it

    async def _do(self, verb: str) -> None:
        what = f"{self.id.rpartition('/')[2]} {verb}"
        self.done.append(what)
        if what in self.hangs:
            await asyncio.Event().wait()
        if what in self.faults:
            raise self.faults[what]

    async def on_init(self) -> None:
        await self._do("init")

    async def on_start(self) -> None:
        await self._do("start")

    async def on_stop(self) -> None:
        await self._do("stop")

    async def on_deinit(self) -> None:
        await self._do("deinit")


@dataclass
class Laboratory:
    """A unit server's declaration, and what the server knows of it.

    Attributes:
        name: of the unit server, and of the zone of its units; tests say `A` for `{name}/A`.
        folder: of its copy on disk.
    """

    client: Client
    folder: Path
    name: str
    running: list[tuple[UnitServer, "asyncio.Task[None]"]] = field(default_factory=list)

    async def declare(self, *ids: str, desired: State = State.RUNNING, default: str = "1") -> None:
        """Declares units of class Probe, or changes them."""
        template = template_pb2.Template(
            name="templates/Probe",
            implementation="Probe",
            attributes=[dataset_pb2.Attribute(name="current", maximum="9")],
        )
        units = [
            control_unit_pb2.ControlUnit(
                name=f"control_units/{self.name}/{id}",
                template="templates/Probe",
                unit_server=f"unit_servers/{self.name}",
                desired_state=int(desired),  # type: ignore[arg-type]  # the same numbers
                overrides=[
                    dataset_pb2.AttributeOverride(attribute="current", default_value=default)
                ],
            )
            for id in ids
        ]
        server = unit_server_pb2.UnitServer(name=f"unit_servers/{self.name}")
        await self.apply(
            [
                bundle_pb2.BundleItem(template=template),
                bundle_pb2.BundleItem(unit_server=server),
                *(bundle_pb2.BundleItem(control_unit=unit) for unit in units),
            ]
        )

    async def recover(self, id: str) -> None:
        """Orders a unit to recover."""
        name = f"control_units/{self.name}/{id}"
        units = self.client.control_units
        unit = await units.GetControlUnit(control_unit_pb2.GetControlUnitRequest(name=name))
        unit.recover_count += 1
        await units.UpdateControlUnit(
            control_unit_pb2.UpdateControlUnitRequest(
                control_unit=unit, update_mask=FieldMask(paths=["recover_count"])
            )
        )

    async def apply(self, items: Iterable[bundle_pb2.BundleItem]) -> None:
        header = bundle_pb2.BundleHeader(
            request_id=uuid.uuid4().hex, on_conflict=bundle_pb2.ON_CONFLICT_REPLACE
        )

        async def requests() -> AsyncIterator[bundle_pb2.ApplyRequest]:
            yield bundle_pb2.ApplyRequest(header=header)
            yield bundle_pb2.ApplyRequest(items=list(items), end=True)

        async def applied() -> list[bundle_pb2.ApplyResponse]:
            try:  # a stream is opened again by its user
                return [reply async for reply in self.client.bundles.Apply(requests())]
            except Unreachable:
                return []

        replies = await until(applied)
        problems = [problem.message for reply in replies for problem in reply.problems]
        assert replies[-1].summary.applied, problems

    def serve(self, classes: Sequence[type[ControlUnit]] = (Probe,), **options: Any) -> UnitServer:
        """Starts a unit server in this process."""
        options = {"address": self.client.addresses, "state_folder": self.folder, **options}
        server = UnitServer(classes, self.name, **options)
        self.begin(server)
        return server

    def begin(self, server: UnitServer) -> None:
        """Runs a unit server in this process until the laboratory ends."""
        self.running.append((server, asyncio.create_task(server.serve())))

    async def end(self, server: UnitServer) -> None:
        """Stops a unit server in order.

        Raises: what its `serve` raised.
        """
        server.stop()
        await self.ended(server)

    async def ended(self, server: UnitServer) -> None:
        """Returns when it has ended; raises what its `serve` raised."""
        task = next(task for each, task in self.running if each is server)
        self.running = [pair for pair in self.running if pair[0] is not server]
        async with asyncio.timeout(15):
            await task

    async def crash(self, server: UnitServer) -> None:
        """Ends a unit server as a dead process would: without good-bye."""
        task = next(task for each, task in self.running if each is server)
        self.running = [pair for pair in self.running if pair[0] is not server]
        task.cancel()
        await asyncio.wait({task})

    def unit(self, server: UnitServer, id: str) -> HostedUnit:
        """A unit as its unit server has it."""
        return server.hosting.units[f"{self.name}/{id}"]

    async def status(self, id: str) -> control_unit_pb2.ControlUnitStatus:
        return await self.client.control_units.GetControlUnitStatus(
            control_unit_pb2.GetControlUnitStatusRequest(
                name=f"control_unit_statuses/{self.name}/{id}"
            )
        )

    async def states(self) -> dict[str, State]:
        page = await self.client.control_units.ListControlUnitStatuses(
            control_unit_pb2.ListControlUnitStatusesRequest(id_prefix=f"{self.name}/")
        )
        return {
            each.name.rpartition("/")[2]: State(each.state) for each in page.control_unit_statuses
        }

    async def until_states(self, *, within: float = 10.0, **states: State) -> None:
        """Waits until exactly these units are reported in these states."""
        seen: dict[str, State] = {}

        async def so() -> bool:
            nonlocal seen
            try:
                seen = await self.states()
            except ClientError:
                return False
            return seen == states

        try:
            await until(so, within=within)
        except AssertionError:
            raise AssertionError(f"wanted {states}, the server says {seen}") from None

    async def status_changes(self, id: str, after: str) -> list[control_unit_pb2.ControlUnitStatus]:
        """All images of a unit's status since a position, as `client.position` writes it."""
        store_id, epoch, revision = after.split("/")
        await self.status(id)
        now = int(self.client.position.rpartition("/")[2])
        request = watch_pb2.WatchRequest(
            position=position_pb2.Position(
                store_id=store_id, epoch=int(epoch), revision=int(revision)
            ),
            kinds=[kind_pb2.KIND_CONTROL_UNIT_STATUS],
            id_prefix=f"{self.name}/{id}",
        )
        found = []
        async with asyncio.timeout(10):
            async for change in self.client.watch.Watch(request):
                found += [event.control_unit_status for event in change.events]
                if change.position.revision >= now:
                    break
        return found

    async def session(self) -> unit_server_pb2.UnitServerStatus:
        return await self.client.unit_servers.GetUnitServerStatus(
            unit_server_pb2.GetUnitServerStatusRequest(name=f"unit_server_statuses/{self.name}")
        )

    async def until_contact(self, contact: str, *, within: float = 10.0) -> None:
        async def so() -> bool:
            return Contact.Name((await self.session()).contact) == f"CONTACT_{contact}"

        await until(so, within=within, what=f"contact {contact}")

    async def lives(self, id: str) -> list[instantiation_pb2.Instantiation]:
        """Newest first."""
        page = await self.client.instantiations.ListInstantiations(
            instantiation_pb2.ListInstantiationsRequest(
                control_unit=f"control_units/{self.name}/{id}"
            )
        )
        return list(page.instantiations)


@asynccontextmanager
async def laboratory(address: str | Sequence[str], folder: Path) -> AsyncIterator[Laboratory]:
    """A laboratory whose unit servers end with it."""
    Probe.done.clear()
    Probe.faults.clear()
    Probe.hangs.clear()
    async with Client(address) as client:
        found = Laboratory(client, folder, f"LAB_{uuid.uuid4().hex[:8]}")
        try:
            yield found
        finally:
            for server, _ in found.running:
                server.stop()
            for _, task in found.running:
                await asyncio.wait({task}, timeout=15)
