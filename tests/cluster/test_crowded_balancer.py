"""Whoever opens connections without end at the load balancer keeps nobody else out."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.cluster.database_node import GREETING, DatabaseNode
from tests.stages.balancer import RULES, Balancer, what_is_missing
from tests.stages.requirements import needs
from tests.stages.waiting import until

MOST = {7400: 4000, 7401: 1500, 7402: 1500}
"""Connections that a port takes. Half of them may come from one address."""
PART = 50
"""So much less than in service the balancer of these tests takes."""
ONE, ANOTHER, THIRD = "127.0.0.2", "127.0.0.3", "127.0.0.4"
PAGE = RULES.parents[2] / "docs" / "how-to" / "limits.md"
GREETINGS = {
    3306: b"",
    7400: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)),
    7401: b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
    7402: b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
    8404: b"GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n",
}
"""What a client of each port says first."""


@pytest.fixture
def held() -> Iterator[ExitStack]:
    """Connections."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def writer() -> AsyncIterator[DatabaseNode]:
    node = DatabaseNode()
    await node.up()
    yield node
    await node.down()


@pytest.fixture
async def balancer(tmp_path: Path, writer: DatabaseNode) -> AsyncIterator[Balancer]:
    needs(what_is_missing())
    made = Balancer([], tmp_path, databases=[writer.port], part=PART)
    await made.start()
    yield made
    made.program.clear()


async def answer(
    balancer: Balancer, number: int, source: str, *, within: float = 5
) -> bytes | None:
    """The first that it says; empty: it closed the connection; None: nothing within so many s."""
    place = ("127.0.0.1", balancer.port(number))
    try:
        reader, writer = await asyncio.open_connection(*place, local_addr=(source, 0))
    except ConnectionResetError:
        return b""
    try:
        writer.write(GREETINGS[number])
        async with asyncio.timeout(within):
            return await reader.read(65_536)
    except ConnectionResetError:
        return b""
    except TimeoutError:
        return None
    finally:
        writer.transport.abort()


def hold(
    balancer: Balancer, number: int, count: int, source: str, held: ExitStack
) -> list[socket.socket]:
    """Opens connections from an address of loopback, and says nothing; those that came about."""
    place, made = ("127.0.0.1", balancer.port(number)), []
    for _ in range(count):
        with suppress(ConnectionResetError):
            made.append(socket.create_connection(place, 5, source_address=(source, 0)))
            held.enter_context(made[-1])
    return made


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


@pytest.mark.parametrize("number", MOST)
async def test_an_address_has_no_more_than_half_of_a_port(
    number: int, balancer: Balancer, held: ExitStack
) -> None:
    half = MOST[number] // PART // 2
    opened = hold(balancer, number, half + 5, ONE, held)
    await until(lambda: sum(map(is_open, opened)) == half)
    assert await answer(balancer, number, ONE) == b""
    assert await answer(balancer, number, ANOTHER)
    assert sum(map(is_open, opened)) == half


async def test_callers_leave_room_for_the_database_and_the_figures(
    balancer: Balancer, held: ExitStack
) -> None:
    for number, most in MOST.items():
        for source in (ONE, ANOTHER):
            hold(balancer, number, most // PART // 2, source, held)
        assert await answer(balancer, number, THIRD, within=0.2) is None, "it is not full"

    async def is_sent_to_the_database() -> bool:
        return await answer(balancer, 3306, THIRD) == GREETING

    await until(is_sent_to_the_database)
    assert (await answer(balancer, 8404, THIRD) or b"").startswith(b"HTTP/1.1 200")


def test_what_sections_take_is_what_all_may_have_and_what_the_page_says() -> None:
    limits = re.findall(r"^ +maxconn (\d+)$", RULES.read_text(), re.MULTILINE)
    together, database, *calls, figures = (int(each) for each in limits)
    standbys = database
    assert together == database + standbys + sum(calls) + figures
    assert calls == list(MOST.values())
    told = re.findall(r"`(\d+)`[^|]*\| `deploy/haproxy` \| ([\d,]+)", PAGE.read_text())
    said = {int(port): int(most.replace(",", "")) for port, most in told}
    assert said == MOST | {3306: database}
