"""10,000 clients that each hold a stream open: how they are refused, and the replica's memory
before, meanwhile and after."""

from __future__ import annotations

import asyncio
import gc
import resource
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import psutil
from mds.v1.watch_pb2 import WatchRequest
from mds.v1.watch_pb2_grpc import WatchStub

from benchmarks.stage import Stage
from benchmarks.table import print_table
from tests.stages.replica import Replica

STREAMS, AT_ONCE, A_CHANNEL, ROUNDS = 10_000, 100, 500, 3
ASK = b"GET /v1/watch HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
MEGABYTE = 1024 * 1024
SETTLED_S = 5.0
GOAL = "what stays does not grow"
Outcome = Counter[str]


async def open_streams(stage: Stage) -> None:
    """Prints what became of them, and memory."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows: list[list[object]] = []
    async with stage.replica() as replica:
        process = psutil.Process(replica.program.pid)
        for name, holding in (("HTTP", over_http), ("gRPC", over_grpc)):
            for number in range(1, ROUNDS + 1):
                before = memory_of(process)
                async with holding(replica) as outcome:
                    meanwhile = memory_of(process)
                gc.collect()
                await asyncio.sleep(SETTLED_S)
                told = ", ".join(f"{count:,} {what}" for what, count in sorted(outcome.items()))
                rows.append([f"{name} {number}", told, before, meanwhile, memory_of(process)])
    print_table(
        f"{STREAMS:,} watches at once",
        ["", "outcome", "MB before", "meanwhile", "after"],
        rows,
    )
    print(f"Goal: a clear refusal beyond the limit; {GOAL} from round to round.")


def memory_of(process: psutil.Process) -> float:
    return float(process.memory_info().rss / MEGABYTE)


@asynccontextmanager
async def over_http(replica: Replica) -> AsyncIterator[Outcome]:
    """Connections that have had the first line of an answer."""
    writers: list[asyncio.StreamWriter] = []

    async def hold() -> str:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", replica.http_port)
            writers.append(writer)
            writer.write(ASK)
            line = await reader.readline()
        except ConnectionError as error:
            return type(error).__name__
        return line.decode().partition(" ")[2].strip()

    try:
        yield await outcomes(hold)
    finally:
        for writer in writers:
            writer.transport.abort()


@asynccontextmanager
async def over_grpc(replica: Replica) -> AsyncIterator[Outcome]:
    """Streams that have had their first message."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [
        grpc.aio.insecure_channel(replica.address, options) for _ in range(STREAMS // A_CHANNEL)
    ]
    streams: list[Any] = []

    async def hold() -> str:
        stub: Any = WatchStub(channels[len(streams) % len(channels)])
        stream = stub.Watch(WatchRequest())
        streams.append(stream)
        try:
            await stream.read()
        except grpc.aio.AioRpcError as error:
            return str(error.code().name)
        return "served"

    try:
        yield await outcomes(hold)
    finally:
        for stream in streams:
            stream.cancel()
        for channel in channels:
            await channel.close()


async def outcomes(hold: Callable[[], Awaitable[str]]) -> Outcome:
    """What becomes of all, some of which come at once."""
    found: Outcome = Counter()
    for _ in range(STREAMS // AT_ONCE):
        found.update(await asyncio.gather(*(hold() for _ in range(AT_ONCE))))
    return found
