"""The load balancer sends everybody to one database node, whichever of them come and go. The nodes
are servers that know as much of the protocol as it asks for."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stages.balancer import Balancer, what_is_missing
from tests.stages.ports import free_port
from tests.stages.requirements import needs
from tests.stages.waiting import until

GREETING = b"\x0a 10.11-MariaDB"
WELCOME = b"\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"


class DatabaseNode:
    """Serves as long as it is up; counts who stays connected.

    Attributes:
        checks: so often it was asked whether it serves.
        last_check: from then on it knows that it has lost the others.
        clients: so many have asked it for anything else.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.checks, self.last_check = 0, sys.maxsize
        self.clients = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)

    async def down(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            writer.write(GREETING)
            while said := await reader.read(4096):
                if b"SELECT" in said:
                    self.checks += 1
                    does_serve = self.checks <= self.last_check
                    writer.write(b"node-serves" if does_serve else b"node-waits")
                elif b"who" in said:
                    self.clients += 1
                    writer.write(f" {self.port}".encode())
                elif b"balancer" in said:
                    writer.write(WELCOME)
        self._writers.discard(writer)
        writer.close()


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
