"""A declared facility and its pages, started once for all tests of a module."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mds.v1 import (
    agent_report_pb2,
    maintenance_pb2,
    operation_pb2,
    snapshot_pb2,
    template_pb2,
)

from control_units.client import Client
from tests.access.conftest import made
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.conftest import Site, running_site
from tests.webui.control_room import describe
from tests.webui.facility import declare_facility

UNITS = 24
NIGHT = snapshot_pb2.Snapshot(
    name="snapshots/night",
    description="stable",
    marks=["golden"],
    units=[
        snapshot_pb2.SavedUnit(
            control_unit="BTF/MAG/PS0002",
            values=[snapshot_pb2.SavedValue(attribute="current", value="12.5")],
        )
    ],
)
COOLING = maintenance_pb2.Maintenance(
    name="maintenances/cooling", description="new cooling", id_prefixes=["LINAC/"]
)


async def tell_of_it(client: Client) -> None:
    """What people and programs have to do with it: an order, a snapshot, a maintenance, a token,
    an agent, and changes of a unit and of a template."""
    order = await client.operations.order(operation_pb2.ORDER_VERB_START, ["BTF/MAG/PS0002"])
    assert order.operation.name
    await client.apply([NIGHT, COOLING], reason="declared for a test")
    await made(client, "nina", "viewer")
    await describe(client, "BTF/MAG/PS0005", "looked after")
    camera = template_pb2.Template(name="templates/Camera", description="newer", etag="*")
    await client.templates.update(camera, "description", reason="a test")
    await client.agent_reports.ReportAgent(
        agent_report_pb2.ReportAgentRequest(
            agent="agents/host-1",
            incarnation="one",
            host="host-1",
            pid=1,
            processes=[
                agent_report_pb2.ProcessReport(
                    unit_server="unit_servers/BTF/MAGNETS",
                    state=agent_report_pb2.PROCESS_STATE_GAVE_UP,
                    message="It ended too often",
                )
            ],
        )
    )


@asynccontextmanager
async def looked_at(folder: Path, database: str = "") -> AsyncIterator[Site]:
    """
    Args:
        database: its URL; empty: a file of SQLite in the folder.
    """
    replica = Replica(database or f"sqlite:///{folder / 'mds.sqlite'}", folder)
    try:
        await replica.start()
        async with Client(replica.address) as client:
            await declare_facility(client, UNITS)
            await tell_of_it(client)
            async with running_site(replica.address, follow=True) as site:
                await until(lambda: site.hub.picture.link == "live", what="the first picture")
                yield site
    finally:
        replica.program.clear()
