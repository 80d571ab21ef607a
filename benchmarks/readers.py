"""Clients that read the same things again and again, as fast as they are answered, in a process of
their own. Prints calls a second.

The HTTP ones are as thin as can be, so that they do not set the pace themselves: they write the
same bytes and wait for as many as the reply says it has.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import uvloop

CHANNELS = 8
SHOWN = f"Bearer {token}" if (token := os.environ.get("MDS_TOKEN")) else ""
Ask = Callable[[], Awaitable[None]]


async def http_client(port: int, paths: list[str]) -> Ask:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    who = f"Authorization: {SHOWN}\r\n" if SHOWN else ""
    requests = [f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{who}\r\n".encode() for path in paths]
    turn = 0

    async def ask() -> None:
        nonlocal turn
        writer.write(requests[turn])
        turn = (turn + 1) % len(requests)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(head.decode())
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))

    return ask


def grpc_client(channel: grpc.aio.Channel, method: str, requests: list[bytes]) -> Ask:
    call: Any = channel.unary_unary(method)
    metadata = (("authorization", SHOWN),) if SHOWN else None
    turn = 0

    async def ask() -> None:
        nonlocal turn
        turn = (turn + 1) % len(requests)
        await call(requests[turn], metadata=metadata)

    return ask


async def read(clients: list[Ask], seconds: float) -> float:
    """Calls a second."""
    count = 0
    ends = time.perf_counter() + seconds

    async def keep_asking(ask: Ask) -> None:
        nonlocal count
        while time.perf_counter() < ends:
            await ask()
            count += 1

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for ask in clients:
            tasks.create_task(keep_asking(ask))
    return count / (time.perf_counter() - began)


async def main(port: int, method: str, count: int, seconds: float, asked: list[str]) -> None:
    channels: list[grpc.aio.Channel] = []
    if method:
        requests = [bytes.fromhex(each) for each in asked]
        address = f"127.0.0.1:{port}"
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.aio.insecure_channel(address, options=options) for _ in range(CHANNELS)]
        clients = [grpc_client(channels[n % CHANNELS], method, requests) for n in range(count)]
    else:
        clients = [await http_client(port, asked) for _ in range(count)]
    print(json.dumps(await read(clients, seconds)), flush=True)
    for channel in channels:
        await channel.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readers", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--method", default="", help="of gRPC; else HTTP")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("asked", nargs="+", help="paths, or requests in hexadecimal")
    given = parser.parse_args()
    uvloop.run(main(given.port, given.method, given.clients, given.seconds, given.asked))
