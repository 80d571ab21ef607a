"""What units shall use: worked out for 10,000, and held against what they say they use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from benchmarks.facility import declare
from benchmarks.stage import Stage, client_of, hollow
from benchmarks.table import print_table
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.timing import Timing
from metadata_server.services.life.conditions import Conditions
from metadata_server.services.life.configurations import Configurations, version_of
from metadata_server.store.database import open_database
from metadata_server.store.life.standings import standings_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

SERVERS, UNITS = 625, 16
GOAL_S = 1.0
TIMING = Timing(lease_us=20_000_000, heartbeat_us=5_000_000)


async def effective_configuration(stage: Stage) -> None:
    """Prints seconds for 10,000 units: read, worked out, and compared with what runs."""
    async with stage.replica() as replica, client_of(replica) as client:
        await declare(client, SERVERS, UNITS)
        async with hollow(replica, SERVERS, "1") as clients:
            await clients.heard("running")
            store = Store(open_database(replica.database))
            try:
                rows = await measured(store)
            finally:
                await asyncio.to_thread(store.close)
            await clients.end()
    print_table(
        f"Effective configuration of {SERVERS * UNITS:,} units, with two overrides each",
        ["", "seconds", "goal"],
        rows,
    )


async def measured(store: Store) -> list[list[object]]:
    read_s, work_s = (await store.read(worked_out)).value
    conditions = Conditions(store, Configurations(), TIMING)
    first_s = await seconds(conditions.look_over)
    again_s = await seconds(conditions.look_over)
    return [
        ["declarations and datasets read", read_s, ""],
        ["configurations worked out, with fingerprints", work_s, f"< {GOAL_S:g}"],
        ["all held against what runs, for the first time", first_s, ""],
        ["again, nothing having changed", again_s, ""],
    ]


def worked_out(unit: UnitOfWork) -> tuple[float, float]:
    """Seconds to read all units, and to work out what each shall use."""
    began = time.perf_counter()
    units = unit.resources.where(ControlUnit)
    standings = standings_of(unit, [each.meta.key for each in units])
    starts = [(*version_of(unit, each), standings[each.meta.key].dataset) for each in units]
    read = time.perf_counter()
    bases = Configurations().bases(unit, starts)
    for each, start in zip(units, starts, strict=True):
        bases[start].narrowing.configuration(each)
    return read - began, time.perf_counter() - read


async def seconds(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began
