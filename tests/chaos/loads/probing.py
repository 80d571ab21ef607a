"""Clients that run beside every load: what they are told decides."""

import asyncio
import uuid
from collections.abc import Sequence

from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.state_pb2 import STATE_LOADED
from mds.v1.template_pb2 import Template
from mds.v1.unit_server_pb2 import UnitServer
from mds.v1.variable_pb2 import CreateVariableRequest, Variable

from control_units.client import Client, ClientError
from tests.chaos.clients.contenders import CLASS, Contender
from tests.chaos.clients.probes import Probe
from tests.chaos.clients.watchers import Watcher
from tests.chaos.final_state import position_now
from tests.chaos.history import Outcome, Write
from tests.chaos.loads import Stage

RESOURCES, WRITERS, READERS = 6, 4, 2
VARIABLES = "KIND_VARIABLE"
STATUSES = "KIND_CONTROL_UNIT_STATUS"
AGAIN_S = 0.2


class Probing:
    """Writers and readers of a few resources, watchers, and two contenders for a unit server.

    Half of them come through the load balancer, half know the replicas.
    """

    def __init__(self, stage: Stage) -> None:
        token = uuid.uuid4().hex[:8]
        self.token = token
        self.prefix = f"CHAOS-PROBES/{token}/"
        self.client = Client(stage.address, principal="chaos", program="chaos")
        self.template = f"templates/{CLASS}"
        self._recorder = stage.recorder
        self._resources = [f"variables/{self.prefix}{number}" for number in range(RESOURCES)]
        self._contested = f"CHAOS-CONTEST/{token}"
        self._faces = [stage.address, ",".join(stage.replicas)]
        self._writers = [self._probe("writer", number) for number in range(WRITERS)]
        self._readers = [self._probe("reader", number) for number in range(READERS)]
        self._watchers = list(self._all_watchers())
        self._watching: list[asyncio.Task[None]] = []

    def _face(self, number: int) -> str:
        return self._faces[number % len(self._faces)]

    def _probe(self, what: str, number: int) -> Probe:
        return Probe(f"{what}-{number}", self._face(number), self._recorder)

    def _all_watchers(self) -> Sequence[Watcher]:
        wanted: list[tuple[str, Sequence[str], str, bool]] = [
            ("all", (), "", False),
            ("probes", (VARIABLES,), self.prefix, False),
            ("probes-restless", (VARIABLES,), self.prefix, True),
            ("probes-any-kind", (), self.prefix, True),
            ("contest", (STATUSES,), self._contested, False),
        ]
        return [
            Watcher(
                f"watcher-{name}", self._face(number), self._recorder,
                kinds=kinds, prefix=prefix, restless=restless,
            )
            for number, (name, kinds, prefix, restless) in enumerate(wanted)
        ]  # fmt: skip

    async def prepare(self) -> None:
        """Declares what they need; watchers watch from here on."""
        await self.client.apply(
            [
                Template(name=self.template, implementation=CLASS),
                UnitServer(name=f"unit_servers/{self._contested}"),
                ControlUnit(
                    name=f"control_units/{self._contested}/1",
                    template=self.template,
                    unit_server=f"unit_servers/{self._contested}",
                    desired_state=STATE_LOADED,
                ),
            ],
            reason="something to contend for",
        )
        for resource in self._resources:
            await self._create(resource)
        self._watching = [asyncio.create_task(each.watch_on()) for each in self._watchers]
        for each in self._watchers:
            await each.reached(0)

    async def _create(self, resource: str) -> None:
        request_id, value = uuid.uuid4().hex, f"created {resource}"
        began = self._recorder.now()
        created = await self.client.variables.CreateVariable(
            CreateVariableRequest(
                variable=Variable(name=resource, description=value, value="{}"),
                request_id=request_id,
                reason="something to write",
            )
        )
        self._recorder.record(
            Write(
                client="prepare", resource=resource, request_id=request_id, value=value,
                etag_asked="*", began=began, ended=self._recorder.now(), outcome=Outcome.OK,
                etag=created.etag, revision=created.revision,
            )
        )  # fmt: skip

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop; what a fault causes is recorded."""
        async with asyncio.TaskGroup() as tasks:
            for writer in self._writers:
                tasks.create_task(writer.write_on(self._resources, stop))
            for reader in self._readers:
                tasks.create_task(reader.read_on(self._resources, stop))
            for number in range(2):
                contender = Contender(
                    f"contender-{number}", self._face(number), self._recorder,
                    unit_server=f"unit_servers/{self._contested}",
                    unit=f"control_units/{self._contested}/1",
                )  # fmt: skip
                tasks.create_task(contender.contend_on(stop))

    async def settle(self) -> None:
        """Returns once every watcher has been told all that has happened before."""
        await self.reached(await self._position())

    async def reached(self, revision: int) -> None:
        for each in self._watchers:
            await each.reached(revision)

    async def _position(self) -> int:
        while True:
            try:
                return (await position_now(self.client)).revision
            except ClientError:
                await asyncio.sleep(AGAIN_S)

    async def close(self) -> None:
        """Lets watchers come to the end of what was written, and ends them."""
        try:
            async with asyncio.timeout(20):
                await self.settle()
        except TimeoutError:
            pass  # the checker tells who has not come there
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for probe in (*self._writers, *self._readers):
            await probe.close()
        for watcher in self._watchers:
            await watcher.close()
        await self.client.close()
        self._recorder.flush()
