"""Streams of many clients on three replicas, of which one dies and comes back."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from mds.v1.watch_pb2 import WatchRequest

from control_units.client import Client, ClientError, channels, rotation
from tests.conftest import StartReplica
from tests.stages.waiting import until

CLIENTS = 60
AGE_S = 1.5
FEWEST = 7
"""Of 60 clients that choose by chance each replica gets 20, give or take 4; a replica that nobody
comes back to, or that others' clients only pass through, falls far below this."""


class Crowd:
    """Clients that each hold a stream open all the time, wherever they may."""

    def __init__(self, addresses: list[str]) -> None:
        self._clients = [Client(addresses) for _ in range(CLIENTS)]
        self._at: dict[Client, str] = {}

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._follow(client)) for client in self._clients]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(client.close() for client in self._clients))

    def spread(self) -> Counter[str]:
        """By which replica how many were told something last."""
        return Counter(self._at.values())

    async def _follow(self, client: Client) -> None:
        while True:
            stream: Any = client.watch.Watch(WatchRequest())
            with suppress(ClientError):
                async for _ in stream:
                    self._at[client] = stream.address
            await asyncio.sleep(random.uniform(0, 0.05))


async def test_load_spreads_again_after_a_replica_restarts(
    start_replica: StartReplica, sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # To streams of 1.5 s what 5 s are to streams of ten minutes.
    monkeypatch.setattr(rotation, "PENALTY_S", 0.1)
    monkeypatch.setattr(rotation, "LONGEST_PENALTY_S", 0.4)
    monkeypatch.setattr(channels, "TRY_S", 0.1)
    age = {"MDS_STREAM_AGE_S": str(AGE_S)}
    replicas = [await start_replica(sqlite_database, environment=age) for _ in range(3)]
    addresses = [replica.address for replica in replicas]
    crowd = Crowd(addresses)

    def is_even() -> bool:
        spread = crowd.spread()
        return all(spread[address] >= FEWEST for address in addresses)

    async with crowd.following():
        await until(is_even, what="all replicas in use")
        replicas[0].kill()
        await until(lambda: crowd.spread()[addresses[0]] == 0, what="nobody at the dead one")
        assert min(crowd.spread()[each] for each in addresses[1:]) >= FEWEST
        await replicas[0].start()
        await until(is_even, within=20 * AGE_S, what="the same load on all three")
        fewest: Counter[str] = crowd.spread()
        end = time.monotonic() + 2 * AGE_S
        while time.monotonic() < end:
            fewest &= crowd.spread()
            await asyncio.sleep(0.05)
        assert all(fewest[each] >= FEWEST - 3 for each in addresses), "and it stays so"
