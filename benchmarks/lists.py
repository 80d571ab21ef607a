"""Lists of 1,000 units in one page, by gRPC and by REST."""

from __future__ import annotations

from mds.v1 import control_unit_pb2

from benchmarks.facility import declare
from benchmarks.reads import Face, medians
from benchmarks.stage import Stage, client_of
from benchmarks.table import print_table

SERVERS, UNITS, ROUNDS, GOAL = 10, 100, 3, 20
LIST = "/mds.v1.ControlUnits/ListControlUnits"


async def lists(stage: Stage) -> None:
    """Prints pages a second."""
    size = SERVERS * UNITS
    request = control_unit_pb2.ListControlUnitsRequest(page_size=size)
    async with stage.replica() as replica, client_of(replica) as client:
        await declare(client, SERVERS, UNITS)
        page = await client.control_units.ListControlUnits(request)
        assert len(page.control_units) == size
        ours = replica.program.pid
        path = f"/v1/control_units?pageSize={size}"
        faces = (
            Face("gRPC", ours, replica.port, (request.SerializeToString().hex(),), LIST),
            Face("REST", ours, replica.http_port, (path,)),
        )
        rows: list[list[object]] = []
        for face in faces:
            await face.measure()
            rate, cpu = medians([await face.measure() for _ in range(ROUNDS)])
            rows.append([face.name, rate, f"> {GOAL}", cpu / 1000])
    print_table(
        f"Pages of {size:,} units ({page.ByteSize():,} bytes), 64 clients, medians of {ROUNDS} turns",
        ["", "pages/s", "goal", "ms CPU a page"],
        rows,
    )
