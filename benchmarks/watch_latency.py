"""Watch: from a commit to the last of 100 watchers."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass, field

import grpc
from mds.v1 import variable_pb2, view_pb2, watch_pb2
from mds.v1.kind_pb2 import KIND_VARIABLE
from mds.v1.watch_pb2_grpc import WatchStub

from benchmarks.stage import Stage, client_of
from benchmarks.table import percentile, print_table
from control_units.client import Client

WATCHERS, CHANGES, CONNECTIONS = 100, 200, 4
GOAL_P99_MS = 250


@dataclass(slots=True)
class Arrivals:
    """When each change came to the last watcher.

    Attributes:
        seen: how many watchers have it, by its name.
        last: monotonic time of the last of them.
    """

    seen: dict[str, int] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, name: str) -> None:
        self.seen[name] = self.seen.get(name, 0) + 1
        if self.seen[name] == WATCHERS:
            self.last[name] = time.monotonic()
            self.complete.set()


async def watch_latency(stage: Stage) -> None:
    """Prints the time from the answer of a write to the last watcher, and from its start."""
    async with stage.replica() as replica, client_of(replica) as client:
        arrivals = Arrivals()
        channels = [grpc.aio.insecure_channel(replica.address) for _ in range(CONNECTIONS)]
        async with asyncio.TaskGroup() as tasks:
            ready = [asyncio.Event() for _ in range(WATCHERS)]
            watchers = [
                tasks.create_task(watch(channels[n % CONNECTIONS], arrivals, ready[n]))
                for n in range(WATCHERS)
            ]
            await asyncio.gather(*(event.wait() for event in ready))
            from_start, from_commit = await changes(client, arrivals)
            for watcher in watchers:
                watcher.cancel()
        for channel in channels:
            await channel.close()
    print_table(
        f"Watch: one change to the last of {WATCHERS} watchers, {CHANGES} changes, ms",
        ["", "median", "p99", "goal, p99"],
        [
            [
                "from commit",
                statistics.median(from_commit),
                percentile(from_commit, 99),
                f"< {GOAL_P99_MS}",
            ],
            ["from the call", statistics.median(from_start), percentile(from_start, 99), ""],
        ],
    )


async def changes(client: Client, arrivals: Arrivals) -> tuple[list[float], list[float]]:
    """Makes changes one by one; milliseconds of each from its start and from its answer."""
    from_start, from_commit = [], []
    for number in range(CHANGES):
        name = f"variables/bench/{number}"
        arrivals.complete.clear()
        began = time.monotonic()
        await client.variables.CreateVariable(
            variable_pb2.CreateVariableRequest(
                variable=variable_pb2.Variable(name=name, value=str(number))
            )
        )
        answered = time.monotonic()
        await asyncio.wait_for(arrivals.complete.wait(), 10)
        from_start.append(1000 * (arrivals.last[name] - began))
        from_commit.append(max(0.0, 1000 * (arrivals.last[name] - answered)))
    return from_start, from_commit


async def watch(channel: grpc.aio.Channel, arrivals: Arrivals, ready: asyncio.Event) -> None:
    request = watch_pb2.WatchRequest(kinds=[KIND_VARIABLE], view=view_pb2.VIEW_FULL)
    async for response in WatchStub(channel).Watch(request):
        ready.set()
        for event in response.events:
            arrivals.note(event.name)
