"""An idle facility: what a replica and its database do while nothing happens."""

from __future__ import annotations

import asyncio
import time

import psutil
from mds.v1.control_unit_pb2 import ListControlUnitsRequest

from benchmarks.facility import declare
from benchmarks.stage import Stage, client_of, hollow
from benchmarks.table import print_table

SERVERS, UNITS = 625, 16
SETTLE_S, WATCH_S, LOG_S = 12.0, 30.0, 10.0
LEASE_TABLES = ("lease", "observer")
GOAL_CORES, GOAL_STATEMENTS, GOAL_MB = 0.2, 20, 400


async def idle_facility(stage: Stage) -> None:
    """Prints the replica's share of a core, its memory, statements a second, revisions."""
    async with stage.replica() as replica, client_of(replica) as client:
        await declare(client, SERVERS, UNITS)
        async with hollow(replica, SERVERS, "1") as clients:
            await clients.heard("running")
            await asyncio.sleep(SETTLE_S)
            process = psutil.Process(replica.program.pid)

            async def revision() -> int:
                page = await client.control_units.ListControlUnits(
                    ListControlUnitsRequest(page_size=1)
                )
                return int(page.position.revision)

            before = (cpu_s(process), stage.statements(), await revision())
            began = time.monotonic()
            await asyncio.sleep(WATCH_S)
            seconds = time.monotonic() - began
            after = (cpu_s(process), stage.statements(), await revision())
            for_leases = await stage.statements_by_table(LEASE_TABLES, LOG_S)
            memory = process.memory_info().rss / 2**20
            await clients.end()
    cores, statements, revisions = (
        later - earlier for later, earlier in zip(after, before, strict=True)
    )
    print_table(
        f"Idle facility: {SERVERS * UNITS:,} units of {SERVERS} unit servers, beats each 5 s",
        ["", "measured", "goal"],
        [
            ["replica, cores", cores / seconds, f"< {GOAL_CORES}"],
            ["statements a second for leases", for_leases, f"< {GOAL_STATEMENTS}"],
            ["statements a second, all", statements / seconds, ""],
            ["revisions passed", int(revisions), "0"],
            ["replica, MB resident", memory, f"< {GOAL_MB}"],
        ],
    )


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
