"""How long one change takes to 1,000 watchers, and how many events go to them in a second, beside
what gRPC's library does alone."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psutil
from mds.v1 import variable_pb2, view_pb2, watch_pb2
from mds.v1.kind_pb2 import KIND_VARIABLE

from benchmarks.bare_streams import METHOD
from benchmarks.stage import Stage, client_of
from benchmarks.table import percentile, print_table
from benchmarks.watchers import MARK
from control_units.client import Client

WATCHERS, CHANGES, BURST, ROUNDS, AT_ONCE = 1000, 30, 100, 3, 8
WATCH = "/mds.v1.Watch/Watch"
GOAL_P99_MS, GOAL_RATIO = 500, 0.5
PATIENCE_S = 180
LARGEST_LINE_BYTES = 1024 * 1024


class Piped:
    """A process that is spoken to in lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self.pid = process.pid

    async def say(self, **word: object) -> None:
        self._in.write(json.dumps(word).encode() + b"\n")
        await self._in.drain()

    async def hear(self) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            line = await self._out.readline()
        if not line:
            raise RuntimeError("The other process has ended.")
        return json.loads(line)


@asynccontextmanager
async def piped(module: str, *arguments: object) -> AsyncIterator[Piped]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LARGEST_LINE_BYTES,
    )  # fmt: skip
    try:
        yield Piped(process)
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def watchers(port: int, method: str, request: bytes = b"") -> AsyncIterator[Piped]:
    """A process that watches by that many streams, each of which has begun."""
    async with piped("watchers", port, method, WATCHERS, request.hex()) as found:
        await found.hear()
        yield found


@dataclass(frozen=True)
class Fan:
    """One burst of events to all watchers.

    Attributes:
        rate: events times watchers a second, from its start to the last of them.
        cpu_us: of the server, for one event to one watcher.
        messages: that each watcher got.
    """

    rate: float
    cpu_us: float
    messages: float


async def fan(
    watching: Piped, server: int, events: int, make: Callable[[], Awaitable[None]]
) -> Fan:
    process = psutil.Process(server)
    await watching.say(events=events)
    await watching.hear()
    used, began = sum(process.cpu_times()[:2]), time.monotonic()
    await make()
    told = await watching.hear()
    seconds = max(told["last"]) - began
    arrivals = events * WATCHERS
    used = sum(process.cpu_times()[:2]) - used
    return Fan(arrivals / seconds, 1e6 * used / arrivals, told["messages"] / WATCHERS)


class Writer:
    """Changes variables, each change a revision."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._count = 0

    async def one(self) -> None:
        self._count += 1
        variable = variable_pb2.Variable(name=f"variables/bench/{self._count:06}", value=MARK)
        request = variable_pb2.CreateVariableRequest(variable=variable)
        await self._client.variables.CreateVariable(request, timeout=PATIENCE_S)

    async def burst(self) -> None:
        async def some(count: int) -> None:
            for _ in range(count):
                await self.one()

        shares = [BURST // AT_ONCE + (number < BURST % AT_ONCE) for number in range(AT_ONCE)]
        await asyncio.gather(*map(some, shares))


async def delays(watching: Piped, writer: Writer) -> tuple[list[float], str]:
    """ms from the answer of each single change to each watcher; and a message with one event."""
    found: list[float] = []
    told: Any = {}
    for _ in range(CHANGES):
        await watching.say(events=1)
        await watching.hear()
        await writer.one()
        answered = time.monotonic()
        told = await watching.hear()
        found += [max(0.0, 1000 * (at - answered)) for at in told["last"]]
    return found, told["sample"]


async def watch_fan_out(stage: Stage) -> None:
    """Prints the delays of single changes, and the rates of bursts, in turns with a bare server."""
    request = watch_pb2.WatchRequest(kinds=[KIND_VARIABLE], view=view_pb2.VIEW_FULL)
    async with (
        stage.replica() as replica,
        client_of(replica) as client,
        piped("bare_streams") as bare,
        watchers(replica.port, WATCH, request.SerializeToString()) as ours,
        watchers(await bare.hear(), METHOD) as theirs,
    ):
        writer = Writer(client)
        late, sample = await delays(ours, writer)
        rounds = []
        for _ in range(ROUNDS):
            mine = await fan(ours, replica.program.pid, BURST, writer.burst)
            alone = await fan(
                theirs, bare.pid, BURST, lambda: bare.say(message=sample, times=BURST)
            )
            rounds.append((mine, alone))
    tell(late, rounds, len(sample) // 2)


def tell(late: list[float], rounds: list[tuple[Fan, Fan]], size: int) -> None:
    print_table(
        f"Watch: one change to each of {WATCHERS:,} watchers, {CHANGES} changes, ms from commit",
        ["", "median", "p99", "goal, p99"],
        [["", statistics.median(late), percentile(late, 99), f"< {GOAL_P99_MS}"]],
    )
    rows: list[list[object]] = []
    ratio = statistics.median(mine.rate / alone.rate for mine, alone in rounds)
    for name, fans, of_bare, goal in (
        ("gRPC, bare stream", [alone for _, alone in rounds], "", ""),
        ("Watch", [mine for mine, _ in rounds], ratio, f"> {GOAL_RATIO:g}"),
    ):
        rate, cpu, messages = (
            statistics.median(getattr(each, field) for each in fans)
            for field in ("rate", "cpu_us", "messages")
        )
        rows.append([name, rate, of_bare, goal, cpu, messages])
    print_table(
        f"{BURST} changes, each an event of {size} bytes, to {WATCHERS:,} watchers, medians of "
        f"{ROUNDS} turns",
        ["", "events × watchers/s", "of bare", "goal", "µs CPU for one", "messages a watcher"],
        rows,
    )
