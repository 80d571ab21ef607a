"""Plan and apply: 10,000 units as a bundle, through a replica on MariaDB, as `mds apply` does it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

from mds.v1 import bundle_pb2

from benchmarks.facility import CHUNK, declared
from benchmarks.stage import Stage, client_of
from benchmarks.table import print_table
from control_units.client import Client

SERVERS, UNITS = 100, 100
GOAL_PLAN_S, GOAL_APPLY_S = 10, 20


async def plan_and_apply(stage: Stage) -> None:
    """Prints the time of each step, and how often it told how far it was."""
    rows: list[tuple[object, ...]] = []
    fresh = list(declared(SERVERS, UNITS))
    changed = [higher(item) for item in fresh]
    async with stage.replica() as replica, client_of(replica) as client:
        for what, items, validate_only in (
            ("plan, nothing there", fresh, True),
            ("apply", fresh, False),
            ("apply again", fresh, False),
            ("plan, all differ", changed, True),
            ("apply, all differ", changed, False),
            ("plan, all to be pruned", [], True),
            ("apply, all pruned", [], False),
        ):
            goal = GOAL_PLAN_S if validate_only else GOAL_APPLY_S
            taken, told, written = await applied(client, items, validate_only=validate_only)
            rows.append((what, taken, f"< {goal}", told, written))
    print_table(
        f"Plan and apply: {SERVERS * UNITS:,} units of {SERVERS} unit servers, MariaDB",
        ["", "s", "goal", "times told", "written"],
        rows,
    )


def higher(item: bundle_pb2.BundleItem) -> bundle_pb2.BundleItem:
    """The same unit with another maximum; other things as they are."""
    found = bundle_pb2.BundleItem()
    found.CopyFrom(item)
    if found.HasField("control_unit"):
        found.control_unit.overrides[0].maximum += ".5"
    return found


async def applied(
    client: Client, items: Sequence[bundle_pb2.BundleItem], *, validate_only: bool
) -> tuple[float, int, int]:
    """Seconds, how often progress was told, and how many resources were written."""
    begun = time.perf_counter()
    told = written = 0
    async for response in client.bundles.Apply(
        requests(items, validate_only=validate_only), timeout=300
    ):
        if response.problems:
            raise RuntimeError(response.problems[0].message)
        if response.HasField("progress"):
            told += 1
            written = response.progress.written
    return time.perf_counter() - begun, told, written


async def requests(
    items: Sequence[bundle_pb2.BundleItem], *, validate_only: bool
) -> AsyncIterator[bundle_pb2.ApplyRequest]:
    header = bundle_pb2.BundleHeader(
        reason="benchmark",
        validate_only=validate_only,
        on_conflict=bundle_pb2.ON_CONFLICT_REPLACE,
        prune=[bundle_pb2.PruneScope()],
    )
    yield bundle_pb2.ApplyRequest(header=header)
    for start in range(0, len(items), CHUNK):
        yield bundle_pb2.ApplyRequest(items=items[start : start + CHUNK])
    yield bundle_pb2.ApplyRequest(end=True)
