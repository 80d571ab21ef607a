"""A replica while nothing happens: without operations, and with a long past of them."""

from __future__ import annotations

import asyncio
import time

import psutil

from benchmarks.idle_facility import cpu_s
from benchmarks.many_operations import OPERATIONS, live_through
from benchmarks.stage import Stage
from benchmarks.table import print_table
from tests.stages.opened_store import opened_store
from tests.stages.replica import Replica

SETTLE_S, WATCH_S = 8.0, 30.0
GOAL_PERCENT = 2


async def idle_operations(stage: Stage) -> None:
    """Prints the replica's share of a core, and statements a second."""
    async with stage.replica() as replica:
        rows = [["no operation", *await watched(stage, replica)]]
        await replica.terminate()
        await asyncio.to_thread(fill, replica.database)
        await replica.start()
        rows.append([f"{OPERATIONS:,} operations, one paused", *await watched(stage, replica)])
    print_table(
        f"A replica while nothing happens (goal: < {GOAL_PERCENT} % of a core)",
        ["", "% of a core", "statements a second", "ms a statement"],
        rows,
    )


async def watched(stage: Stage, replica: Replica) -> list[object]:
    """Share of a core, statements a second, and what one costs the replica."""
    await asyncio.sleep(SETTLE_S)
    process = psutil.Process(replica.program.pid)
    cpu, statements, began = cpu_s(process), stage.statements(), time.monotonic()
    await asyncio.sleep(WATCH_S)
    seconds = time.monotonic() - began
    used, asked = cpu_s(process) - cpu, stage.statements() - statements
    return [100 * used / seconds, asked / seconds, 1000 * used / asked]


def fill(url: str) -> None:
    with opened_store(url) as store:
        live_through(store)
