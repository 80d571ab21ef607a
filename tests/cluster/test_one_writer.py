"""The load balancer sends everybody to one database node, whichever of them come and go."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster.database_node import GREETING, DatabaseNode
from tests.stages.balancer import Balancer, what_is_missing
from tests.stages.requirements import needs
from tests.stages.waiting import until


class Pool:
    """One client that stays connected, and connects again when it was sent away."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def node(self) -> int:
        """Port of the node that it talks to; 0 when there is none."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(1):
                if self._connection is None:
                    self._connection = await asyncio.open_connection("127.0.0.1", self._port)
                    await self._connection[0].readexactly(len(GREETING))
                reader, writer = self._connection
                writer.write(b"who")
                return int(await reader.readexactly(6))
        self.close()
        return 0

    def close(self) -> None:
        if self._connection:
            self._connection[1].close()
            self._connection = None


@pytest.fixture
async def nodes() -> AsyncIterator[list[DatabaseNode]]:
    made = [DatabaseNode() for _ in range(3)]
    yield made
    for node in made:
        await node.down()


async def test_everybody_is_on_one_node_whoever_comes_back(
    nodes: list[DatabaseNode], tmp_path: Path
) -> None:
    needs(what_is_missing())
    for node in nodes:
        await node.up()
    balancer = Balancer([], tmp_path, databases=[node.port for node in nodes])
    await balancer.start()
    pools = [Pool(balancer.database) for _ in range(3)]

    async def all_on(number: int) -> None:
        async def is_so() -> bool:
            return {await pool.node() for pool in pools} == {nodes[number].port}

        await until(is_so, what=f"everybody on database node {number + 1}")

    try:
        await all_on(0)
        await nodes[0].down()
        await all_on(1)
        await nodes[1].down()
        await all_on(2)
        await nodes[1].up()  # the second stand-by is no writer any more
        await all_on(1)
        await nodes[0].up()
        await all_on(0)
        await nodes[0].down()
        await nodes[1].down()
        await all_on(2)
        await nodes[0].up()
        await all_on(0)
    finally:
        for pool in pools:
            pool.close()
        balancer.program.kill()


async def test_a_node_that_does_not_know_yet_that_it_has_lost_the_others_is_not_asked(
    nodes: list[DatabaseNode], tmp_path: Path
) -> None:
    """It stood still, and says of itself what was so before: for half a second at most."""
    needs(what_is_missing())
    resumed, writer, _ = nodes
    await writer.up()
    balancer = Balancer([], tmp_path, databases=[node.port for node in nodes])
    await balancer.start()
    pool = Pool(balancer.database)

    async def is_on_the_stand_by() -> bool:
        return await pool.node() == writer.port

    try:
        await until(is_on_the_stand_by)
        resumed.last_check = 5
        await resumed.up()
        await until(lambda: resumed.checks > resumed.last_check + 3)
        assert resumed.clients == 0
        assert await is_on_the_stand_by()
    finally:
        pool.close()
        balancer.program.kill()
