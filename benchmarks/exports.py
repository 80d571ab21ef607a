"""Exports of whole lists as files: how much memory a replica takes for a tenth of a list, and for
all of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from itertools import product

import aiohttp
import psutil

from benchmarks.facility import declare
from benchmarks.stage import Stage, client_of
from benchmarks.table import print_table

SERVERS, UNITS = 100, 1_000
PARTS = {"a tenth": "&idPrefix=ZONE0/", "all": ""}
FORMATS = ("csv", "ndjson", "json", "yaml", "votable")
MEGABYTE = 1024 * 1024
FIRST = "ndjson"
GOAL_MB = 64
LOOK_S = 0.05


@dataclass
class Export:
    """One file.

    Attributes:
        grown: by so many bytes the replica was larger, at most, than before.
    """

    size: int = 0
    took_s: float = 0.0
    grown: int = 0


async def exports(stage: Stage) -> None:
    """Prints sizes, times and memory."""
    rows: list[list[object]] = []
    async with stage.replica() as replica, client_of(replica) as client:
        await declare(client, SERVERS, UNITS)
        process = psutil.Process(replica.program.pid)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as http:
            # The first fills the shelf of what was read lately, which has a bound of its own.
            for name, part in [(FIRST, "all"), *product(FORMATS, PARTS)]:
                url = f"{replica.http}/v1/control_units?format={name}{PARTS[part]}"
                one = await export(http, url, process)
                sizes = (one.size / MEGABYTE, one.took_s, one.grown / MEGABYTE)
                goal = f"< {GOAL_MB}" if rows else ""
                rows.append([name, part if rows else f"{part}, the first", *sizes, goal])
    print_table(
        f"Exports of {SERVERS * UNITS:,} units",
        ["", "", "MB", "s", "MB that the replica grows by", "goal"],
        rows,
    )


async def export(http: aiohttp.ClientSession, url: str, process: psutil.Process) -> Export:
    """Takes a file as fast as it comes."""
    one, begun = Export(), time.perf_counter()
    before, looked_s = process.memory_info().rss, begun
    async with http.get(url) as answer:
        answer.raise_for_status()
        async for part in answer.content.iter_any():
            one.size += len(part)
            if (now := time.perf_counter()) > looked_s + LOOK_S:
                one.grown = max(one.grown, process.memory_info().rss - before)
                looked_s = now
            await asyncio.sleep(0)
    one.took_s = time.perf_counter() - begun
    return one
