"""`make cluster`: all services of docker-compose.yml as processes, up and down."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.stage import Stage
from benchmarks.table import print_table
from deploy.processes.images import LEFT_OUT, what_is_missing
from deploy.processes.topology import read_topology
from tests.stages.traces import traces

TURNS = 3
ROOT = Path(__file__).parents[1]
PLACE = Path(tempfile.gettempdir()) / "mds-cluster-"
WITHIN_S = 180


async def cluster(_stage: Stage) -> None:
    """Prints how long it takes to come up and to go down, and counts what it leaves behind."""
    services = [each for each in read_topology() if each.image not in LEFT_OUT]
    if missing := what_is_missing(services):
        print(f"No cluster can run here: {missing}.")
        return
    rows = [await measured(f"turn {turn + 1}") for turn in range(TURNS)]
    print_table(
        f"Cluster of {len(services)} services as processes, from its command to its end by Ctrl-C",
        ["", "up, s", "processes", "down, s", "left behind"],
        rows,
    )


async def measured(name: str) -> list[object]:
    """One cluster.

    Raises:
        TimeoutError: it does not come up, or does not go.
    """
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.processes",
        cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WITHIN_S):
            while not (line := await process.stdout.readline()).startswith(b"Up after"):
                assert line, "it ended before it was up"
        is_up = time.monotonic()
        there = traces(PLACE)
        asked = time.monotonic()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
    async with asyncio.timeout(WITHIN_S):
        await process.wait()
    gone = time.monotonic()
    left = traces(PLACE)
    for each in left:
        print(f"left behind: {each}")
    running = sum(each.startswith("process") for each in there)
    return [name, is_up - begun, running, gone - asked, len(left)]
