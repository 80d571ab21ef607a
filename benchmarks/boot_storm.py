"""Boot storm: from the first Register until a fresh list shows every unit RUNNING."""

from __future__ import annotations

import statistics
import time

from mds.v1.control_unit_pb2 import ListControlUnitStatusesRequest
from mds.v1.state_pb2 import STATE_RUNNING

from benchmarks.facility import DATASET_HASH, declare
from benchmarks.limits import echo_calls_per_second, inserted_rows_per_second
from benchmarks.stage import Stage, client_of, hollow
from benchmarks.table import print_table
from control_units.client import Client
from tests.stages.ports import free_port
from tests.stages.replica import Replica

RUNS = 5
SIZES = ((10, 10), (100, 100))
PAGE = 1000
GOAL_UNITS_PER_S, GOAL_RATIO = 1500, 1.1
# Rows that a unit leaves: its status, its life, and an image for each step.
STATUS_BYTES, LIFE_BYTES, IMAGE_BYTES, IMAGES = 250, 200, 150, 4


async def boot_storm(stage: Stage) -> None:
    """Prints units per second, each the median of five, from empty and from warm."""
    rows = []
    per_unit: dict[tuple[str, int], float] = {}
    for servers, units in SIZES:
        empty, warm = [], []
        for _ in range(RUNS):
            async with stage.replica() as replica, client_of(replica) as client:
                await declare(client, servers, units)
                empty.append(await one_storm(replica, client, servers, units, incarnation="1"))
                warm.append(await one_storm(replica, client, servers, units, incarnation="2"))
        count = servers * units
        for name, times in (("empty", empty), ("warm", warm)):
            median = statistics.median(times)
            per_unit[name, count] = median / count
            rows.append(
                [
                    f"{servers} × {units}, {name}",
                    count / median,
                    count / max(times),
                    count / min(times),
                    1000 * median / count,
                ]
            )
    print_table(
        f"Boot storm (goal: {GOAL_UNITS_PER_S:,} units/s at 100 × 100)",
        ["servers × units", "units/s, median", "worst", "best", "ms a unit"],
        rows,
    )
    small, large = (servers * units for servers, units in SIZES)
    ratios = [[name, per_unit[name, large] / per_unit[name, small]] for name in ("empty", "warm")]
    print_table(
        f"Time a unit, 100 × 100 against 10 × 10 (goal: at most {GOAL_RATIO})",
        ["store", "ratio"],
        ratios,
    )
    await print_limits(stage, large)


async def one_storm(
    replica: Replica, client: Client, servers: int, units: int, *, incarnation: str
) -> float:
    """Seconds of one storm; its unit servers have said good-bye when it returns."""
    async with hollow(replica, servers, incarnation) as clients:
        began = await clients.heard("began")
        await clients.heard("running")
        while await running_units(client) < servers * units:
            pass  # a fresh list each time; reports are acknowledged, so the first one has all
        seconds = time.monotonic() - began
        await clients.end()
        return seconds


async def running_units(client: Client) -> int:
    """How many units a fresh list shows RUNNING with their dataset published."""
    count, token = 0, ""
    while True:
        page = await client.control_units.ListControlUnitStatuses(
            ListControlUnitStatusesRequest(page_size=PAGE, page_token=token, state=STATE_RUNNING)
        )
        count += sum(
            status.dataset == f"datasets/{DATASET_HASH}" for status in page.control_unit_statuses
        )
        token = page.next_page_token
        if not token:
            return count


async def print_limits(stage: Stage, units: int) -> None:
    name = stage.mariadb.create_database()
    rows = [(STATUS_BYTES, units), (LIFE_BYTES, units), (IMAGE_BYTES, IMAGES * units)]
    inserted = inserted_rows_per_second(stage.mariadb.url(name), rows)
    stage.mariadb.drop_database(name)
    a_unit = sum(count for _, count in rows) / units
    print_table(
        "The machine's limit in the same run",
        ["", "per second"],
        [
            ["bare grpc.aio echo, calls", await echo_calls_per_second(free_port())],
            ["the same rows as bare multi-row inserts, rows", inserted],
            [f"… that is units of {a_unit:.0f} rows", inserted / a_unit],
        ],
    )
