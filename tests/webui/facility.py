"""A declared facility for the pages: no process runs, so that nothing moves by itself."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from google.protobuf.message import Message
from mds.v1 import agent_pb2, control_unit_pb2, template_pb2, unit_server_pb2
from mds.v1.state_pb2 import STATE_RUNNING

from control_units.client import Client
from tests.stages.replica import Replica

ZONES = ("DAFNE", "LINAC", "BTF")


def unit_id(number: int) -> str:
    """`DAFNE/MAG/PS0000`, `LINAC/MAG/PS0001` …"""
    return f"{ZONES[number % len(ZONES)]}/MAG/PS{number:04}"


@contextmanager
def declared_replica(
    folder: Path,
    units: int,
    *,
    database: str = "",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Replica]:
    """One replica for all tests of a module.

    Args:
        database: its URL; empty: a file of SQLite in the folder.
    """
    url = database or f"sqlite:///{folder / 'mds.sqlite'}"
    replica = Replica(url, folder, environment=environment)

    async def declare() -> None:
        await replica.start()
        async with Client(replica.address) as client:
            await declare_facility(client, units)

    try:
        asyncio.run(declare())
        yield replica
    finally:
        replica.program.clear()


async def declare_facility(client: Client, units: int) -> None:
    """So many units of two templates in three zones, on a unit server of each zone."""
    resources: list[Message] = [
        template_pb2.Template(name=f"templates/{name}", implementation=name, description=name)
        for name in ("PowerSupply", "Camera")
    ]
    resources.append(agent_pb2.Agent(name="agents/host-1", description="the only one"))
    for zone in ZONES:
        server = unit_server_pb2.UnitServer(name=f"unit_servers/{zone}/MAGNETS")
        server.launch.agent = "agents/host-1"
        resources.append(server)
    resources += [control_unit(number) for number in range(units)]
    await client.apply(resources, reason="declared for a test")


def control_unit(number: int) -> control_unit_pb2.ControlUnit:
    return control_unit_pb2.ControlUnit(
        name=f"control_units/{unit_id(number)}",
        template=f"templates/{'Camera' if number % 5 == 0 else 'PowerSupply'}",
        unit_server=f"unit_servers/{ZONES[number % len(ZONES)]}/MAGNETS",
        desired_state=STATE_RUNNING,
        description="=cmd()" if number == 1 else f"number {number}",
        labels={"row": str(number % 7)},
    )
