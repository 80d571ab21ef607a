"""Who stands still is left within seconds; who has much to do is not."""

import asyncio
import sys
from collections.abc import AsyncIterable, Iterator
from pathlib import Path

import pytest
from mds.v1.watch_pb2 import WatchRequest

from control_units.client import Client, Unreachable
from tests.stages.ports import free_port, is_open
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

BUSY_S = 8.0
"""Far longer than a server that stands still is waited for."""
WITHIN_S = 8.0
"""3.5 s, and what a busy machine makes of it; gRPC by itself would take a minute."""


async def to_its_end(stream: AsyncIterable[object]) -> int:
    """How many words there were."""
    return len([word async for word in stream])


async def test_a_server_that_stands_still_is_left_within_seconds(
    client: Client, server: Replica
) -> None:
    stream = client.watch.Watch(WatchRequest())
    await anext(aiter(stream))
    server.program.pause()
    try:
        with pytest.raises(Unreachable, match="ping timeout"):
            await asyncio.wait_for(to_its_end(stream), WITHIN_S)
    finally:
        server.program.resume()
        stream.cancel()


@pytest.fixture
def busy_server(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "tests.client.busy_server", str(port), str(BUSY_S)]
    program = Program(command, log=tmp_path / "busy.log")
    program.start()
    yield port
    program.clear()


async def test_a_server_that_is_busy_is_not_taken_for_dead(busy_server: int) -> None:
    """While its loop stands still for longer, gRPC's threads answer its client's pings."""
    await until(lambda: is_open(busy_server), within=30)
    async with Client(f"127.0.0.1:{busy_server}") as client:
        assert await to_its_end(client.watch.Watch(WatchRequest())) == 2
