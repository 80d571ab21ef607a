"""A server that has no time for its loop: `python -m tests.client.busy_server PORT SECONDS`."""

# ruff: noqa: N802  # the names are those of the protocol's methods

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
from mds.v1 import watch_pb2, watch_pb2_grpc

from metadata_server.server import PINGS


class Busy(watch_pb2_grpc.WatchServicer):
    """Says a word, computes for a while, and says another one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def Watch(self, *_: Any) -> AsyncIterator[watch_pb2.WatchResponse]:
        yield watch_pb2.WatchResponse()
        await asyncio.sleep(0)  # the word goes out first
        end = time.monotonic() + self._seconds
        while time.monotonic() < end:
            pass
        yield watch_pb2.WatchResponse()


async def serve(port: int, seconds: float) -> None:
    server = grpc.aio.server(options=PINGS)
    watch_pb2_grpc.add_WatchServicer_to_server(Busy(seconds), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
