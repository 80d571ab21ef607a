"""A storm against one replica with small limits: everybody comes in, nobody falls out."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from mds.v1 import registration_pb2 as wire
from mds.v1.bundle_pb2 import BundleHeader, BundleItem, ExportRequest
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.template_pb2 import Template
from mds.v1.unit_server_pb2 import UnitServer

from control_units.client import Busy, Client
from tests.scenarios.plans import apply
from tests.stages.replica import Replica
from tests.stages.waiting import until

StartReplica = Callable[..., Awaitable[Replica]]
LEASE_S, BEAT_S = 6.0, 0.5
WAITING = 20
SMALL = {
    "MDS_DATABASE_THREADS": "3",
    "MDS_WAITING": str(WAITING),
    "MDS_LONGEST_WAIT_S": "0.3",
    "MDS_LEASE_S": str(LEASE_S),
    "MDS_HEARTBEAT_S": "1.5",
}
RUNNING, COMING, UNITS, LOOPS = 2, 40, 5, 5

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def replica(start_replica: StartReplica, sqlite_database: str) -> Replica:
    return await start_replica(sqlite_database, environment=SMALL)


async def declare(client: Client) -> None:
    items = [BundleItem(template=Template(name="templates/Supply", implementation="Supply"))]
    for server in range(RUNNING + COMING):
        name = f"unit_servers/S{server}"
        items.append(BundleItem(unit_server=UnitServer(name=name)))
        items += [
            BundleItem(
                control_unit=ControlUnit(
                    name=f"control_units/S{server}/{unit}",
                    template="templates/Supply",
                    unit_server=name,
                )
            )
            for unit in range(UNITS)
        ]
    assert (await apply(client, items, BundleHeader())).summary.applied


@dataclass
class Storm:
    """What clients were told while it lasted."""

    client: Client
    sessions: list[str] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)

    async def register(self, server: int) -> None:
        """Registers, coming again as it is told to, as unit servers do."""
        while True:
            try:
                await self.register_once(server)
            except Busy as busy:
                self.delays.append(busy.retry_after or 0.0)
                await asyncio.sleep(self.delays[-1] * random.uniform(1, 2))
            else:
                return

    async def register_once(self, server: int) -> None:
        reply = await self.client.registration.Register(
            wire.RegisterRequest(
                unit_server=f"unit_servers/S{server}",
                incarnation=f"one of {server}",
                classes=[wire.HostedClass(implementation="Supply")],
                host="rack1",
                pid=1,
            )
        )
        self.sessions.append(reply.session)

    async def keep_registering(self, server: int) -> None:
        """Registers again and again, whatever it is told."""
        while True:
            try:
                await self.register_once(server)
            except Busy as busy:
                self.delays.append(busy.retry_after or 0.0)
                await asyncio.sleep(0.05)

    async def export(self) -> None:
        """Reads everything, again and again, whatever it is told."""
        while True:
            try:
                async for _ in self.client.bundles.Export(ExportRequest()):
                    pass
            except Busy:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running(client: Client, session: str) -> AsyncIterator[asyncio.Task[None]]:
    """A unit server that beats; its task ends, with the reason, when its stream does."""

    async def said() -> AsyncIterator[wire.AttachRequest]:
        yield wire.AttachRequest(hello=wire.Hello(session=session))
        while True:
            await asyncio.sleep(BEAT_S)
            yield wire.AttachRequest(heartbeat=wire.Heartbeat())

    is_attached = asyncio.Event()

    async def heard() -> None:
        async for _ in client.registration.Attach(said()):
            is_attached.set()

    task = asyncio.create_task(heard())
    try:
        await asyncio.wait_for(is_attached.wait(), 30)
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def figures(replica: Replica) -> dict[str, float]:
    """Of admission, by name and label."""
    async with aiohttp.ClientSession() as http, http.get(f"{replica.http}/metrics") as reply:
        text = await reply.text()
    found = re.findall(r'^mds_admission_(\w+){\w+="(\w+)"} (\S+)$', text, re.MULTILINE)
    return {f"{name} {label}": float(value) for name, label, value in found}


async def test_a_storm_comes_in_by_and_by_and_those_who_run_keep_their_leases(
    replica: Replica,
) -> None:
    async with Client(replica.address, principal="storm") as client:
        await declare(client)
        storm = Storm(client)
        for server in range(RUNNING):
            await storm.register(server)
        async with (
            running(client, storm.sessions[0]) as one,
            running(client, storm.sessions[1]) as other,
        ):
            loops = [asyncio.create_task(storm.export()) for _ in range(LOOPS)]
            coming = asyncio.gather(*(storm.register(RUNNING + n) for n in range(COMING)))
            most_waiting = 0.0

            async def all_have_come() -> bool:
                nonlocal most_waiting
                told = await figures(replica)
                waiting = sum(told[f"waiting {kind}"] for kind in ("people", "arrivals", "bulk"))
                most_waiting = max(most_waiting, waiting)
                return coming.done()

            began = asyncio.get_running_loop().time()
            await until(all_have_come, within=120)
            # Longer than a lease: whose beats were not heard would be out by now.
            end = began + LEASE_S * 1.5
            await until(lambda: asyncio.get_running_loop().time() > end, within=LEASE_S * 2)
            assert not one.done()
            assert not other.done()
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
        told = await figures(replica)
    assert len(set(storm.sessions)) == RUNNING + COMING
    assert storm.delays, "there was a storm"
    assert all(storm.delays), "and a delay was told each time"
    assert sum(value for name, value in told.items() if name.startswith("refused_total ")) > 0
    assert most_waiting <= WAITING


async def test_a_unit_server_that_storms_keeps_no_other_one_out(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    patient = SMALL | {"MDS_LONGEST_WAIT_S": "60"}  # only how many wait decides who is refused
    replica = await start_replica(sqlite_database, environment=patient)
    async with Client(replica.address, principal="storm") as client:
        await declare(client)
        storm = Storm(client)
        loops = [asyncio.create_task(storm.keep_registering(0)) for _ in range(2 * WAITING)]
        try:
            # All have been sent by then, and as many wait as may.
            await until(lambda: len(storm.sessions) > 2, within=60, what="a storm")
            before = len(storm.sessions)
            await storm.register_once(1)
            meanwhile = len(storm.sessions) - before - 1
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
    assert meanwhile < WAITING // 2, "it did not stand behind all that the other one sent"
