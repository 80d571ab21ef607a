"""Answers of one piece that nobody takes, or that somebody takes slowly."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from metadata_server.api.rest import streams
from metadata_server.api.rest.serving import Limits, Runner
from tests.stages.waiting import until

ANSWER = b"x" * 20_000_000
Served = tuple[int, Runner]


def nobody_is_refused() -> None:
    raise AssertionError("there are places enough")


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """Port of a server that has one large answer, and that server."""
    monkeypatch.setattr(streams, "SLOWEST_READER_S", 0.5)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=ANSWER)

    application = web.Application()
    application.router.add_get("/", answer)
    runner = Runner(application, Limits(10, 75.0), nobody_is_refused, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1], runner
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def asking(port: int, *, ahead_bytes: int) -> AsyncIterator[socket.socket]:
    """A client that has some bytes sent before it reads."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ahead_bytes)
        client.settimeout(0)
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield client


def open_at(runner: Runner) -> int:
    assert runner.server is not None
    return len(runner.server.connections)


async def test_an_answer_that_nobody_takes_is_let_go(served: Served) -> None:
    port, runner = served
    async with asking(port, ahead_bytes=4096):
        await until(lambda: open_at(runner) == 1, within=5)
        await until(lambda: open_at(runner) == 0, within=5, what="the connection to be cut")


async def test_an_answer_that_is_taken_slowly_comes_whole(served: Served) -> None:
    port, _runner = served
    loop, found = asyncio.get_running_loop(), 0
    begun = loop.time()
    async with asking(port, ahead_bytes=500_000) as client, asyncio.timeout(30):
        while found < len(ANSWER):
            part = await loop.sock_recv(client, 500_000)
            assert part, f"it ended after {found} bytes"
            found += len(part)
            await asyncio.sleep(0.05)  # the pace that is tried
    assert loop.time() - begun > 2 * streams.SLOWEST_READER_S, "too fast to tell"
