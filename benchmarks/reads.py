"""Current reads of what units shall use, beside what gRPC's and aiohttp's libraries do alone."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import psutil
from google.protobuf.json_format import MessageToDict
from mds.v1 import control_unit_pb2

from benchmarks.bare import METHOD
from benchmarks.facility import declare, unit_id
from benchmarks.stage import Stage, client_of
from benchmarks.table import print_table

SERVERS, UNITS = 10, 10
ROUNDS = 3
SECONDS = 2.0
READ = "/mds.v1.ControlUnits/GetConfiguration"


@dataclass(frozen=True)
class Face:
    """Something that is asked.

    Attributes:
        process: that serves it.
        method: of gRPC; empty: HTTP.
        token: what is shown with each call; empty: nothing.
        asked: paths, or requests in hexadecimal.
    """

    name: str
    process: int
    port: int
    asked: tuple[str, ...]
    method: str = ""
    token: str = field(default="", repr=False)

    async def measure(self) -> tuple[float, float]:
        """Calls a second, and microseconds of the server's CPU for each."""
        server = psutil.Process(self.process)
        before = sum(server.cpu_times()[:2])
        reader = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.readers", str(self.port),
            *("--method", self.method, "--seconds", str(SECONDS)), *self.asked,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "MDS_TOKEN": self.token},
        )  # fmt: skip
        out, _ = await reader.communicate()
        if reader.returncode:
            raise RuntimeError(f"The readers of {self.name} failed.")
        rate = float(json.loads(out))
        return rate, 1e6 * (sum(server.cpu_times()[:2]) - before) / (rate * SECONDS)


@asynccontextmanager
async def bare(document: object) -> AsyncIterator[tuple[int, dict[str, int]]]:
    """Process and ports of the bare servers."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.bare",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(document).encode() + b"\n")
        yield process.pid, json.loads(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


async def reads(stage: Stage) -> None:
    """Prints calls a second of 64 clients, in turns with the bare ones."""
    names = [
        f"control_units/{unit_id(server, unit)}"
        for server in range(SERVERS)
        for unit in range(UNITS)
    ]
    requests = [control_unit_pb2.GetConfigurationRequest(name=name) for name in names]
    async with stage.replica() as replica, client_of(replica) as client:
        await declare(client, SERVERS, UNITS)
        reply = await client.control_units.GetConfiguration(requests[0])
        async with bare(MessageToDict(reply)) as (process, ports):
            ours = replica.program.pid
            paths = tuple(f"/v1/{quote(name, safe='/')}:configuration" for name in names)
            asked = tuple(each.SerializeToString().hex() for each in requests)
            payload = (reply.SerializeToString().hex(),)
            pairs = [
                (
                    Face("gRPC, bare echo", process, ports["grpc"], payload, METHOD),
                    Face("gRPC, configuration", ours, replica.port, asked, READ),
                    0.6,
                ),
                (
                    Face("HTTP, bare JSON handler", process, ports["http"], ("/",)),
                    Face("REST, configuration", ours, replica.http_port, paths),
                    0.5,
                ),
            ]
            rows = [row for pair in pairs for row in await compared(*pair)]
    print_table(
        f"Current reads of {len(names)} units' configurations ({reply.ByteSize():,} bytes), "
        f"64 clients, medians of {ROUNDS} turns",
        ["", "calls/s", "of bare", "goal", "µs CPU a call", "of bare"],
        rows,
    )


async def compared(first: Face, second: Face, goal: float) -> list[list[object]]:
    """Rows of a bare server and of ours, asked in turns."""
    taken: dict[str, list[tuple[float, float]]] = {first.name: [], second.name: []}
    for face in (first, second):
        await face.measure()  # what is measured is what they do for hours
    for _ in range(ROUNDS):
        for face in (first, second):
            taken[face.name].append(await face.measure())
    bare_rate, bare_cpu = medians(taken[first.name])
    rate, cpu = medians(taken[second.name])
    ratio = statistics.median(
        mine / theirs
        for (theirs, _), (mine, _) in zip(taken[first.name], taken[second.name], strict=True)
    )
    return [
        [first.name, bare_rate, "", "", bare_cpu, ""],
        [second.name, rate, ratio, f"> {goal:g}", cpu, cpu / bare_cpu],
    ]


def medians(taken: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(rate for rate, _ in taken), statistics.median(cpu for _, cpu in taken)
