"""Clients that take what they can get: they neither hold connections for ever, nor all of them."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.conftest import StartReplica
from tests.stages.replica import Replica
from tests.stages.waiting import until

IDLE_S, CONNECTIONS, WATCHES = 1.0, 12, 3
GRPC_CONNECTIONS = 4
WATCH = b"GET /v1/watch HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
LIVE = b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODY = (
    b"POST /v1/policies HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n{"
)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def impatient(start_replica: StartReplica, sqlite_database: str) -> Replica:
    return await start_replica(sqlite_database, environment={"MDS_HTTP_IDLE_S": str(IDLE_S)})


@pytest.fixture
async def narrow(start_replica: StartReplica, sqlite_database: str) -> Replica:
    limits = {
        "MDS_HTTP_CONNECTIONS": str(CONNECTIONS),
        "MDS_GRPC_CONNECTIONS": str(GRPC_CONNECTIONS),
        "MDS_WATCHES": str(WATCHES),
    }
    return await start_replica(sqlite_database, environment=limits)


@contextlib.asynccontextmanager
async def connected(replica: Replica, *first: bytes) -> AsyncIterator[list[Streams]]:
    """A connection for each beginning, which is sent."""
    found = []
    try:
        for sent in first:
            there = urlsplit(replica.http)
            reader, writer = await asyncio.open_connection(there.hostname, there.port)
            found.append((reader, writer))
            writer.write(sent)
            await writer.drain()
        yield found
    finally:
        for _, writer in found:
            writer.close()


async def drip(writer: asyncio.StreamWriter, word: bytes) -> None:
    """Sends a byte now and then, for as long as it is taken."""
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(word)
            await writer.drain()
            await asyncio.sleep(IDLE_S / 10)


async def heard(streams: Streams, word: bytes = b"") -> tuple[bytes, float]:
    """All that comes while bytes are sent one by one, and after how long it ends, s."""
    reader, writer = streams
    begun = time.monotonic()
    dripping = asyncio.create_task(drip(writer, word)) if word else None
    try:
        async with asyncio.timeout(60):
            return await reader.read(), time.monotonic() - begun
    except ConnectionError:
        return b"", time.monotonic() - begun
    finally:
        if dripping is not None:
            dripping.cancel()
            await asyncio.wait([dripping])


async def test_who_sends_a_request_byte_by_byte_is_not_waited_for(impatient: Replica) -> None:
    beginnings = (
        b"",
        b"GET /v1/",
        b"GET /v1/policies HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
        LIVE,
    )
    async with connected(impatient, *beginnings) as connections:
        words = (b"", b"a", b"a", b"G")
        ended = await asyncio.gather(*map(heard, connections, words))
    assert max(seconds for _, seconds in ended) < 20 * IDLE_S
    assert [answer[:15] for answer, _ in ended] == [b"", b"", b"", b"HTTP/1.1 200 OK"]


async def test_who_sends_a_body_byte_by_byte_is_refused(impatient: Replica) -> None:
    bundle = BODY.replace(b"/v1/policies", b"/v1/bundles:apply").replace(b"/json", b"/x-ndjson")
    form = BODY.replace(b"/v1/policies", b"/MDS").replace(b"application/json", b"text/plain")
    async with connected(impatient, BODY, form, bundle) as connections:
        async with asyncio.timeout(60):
            heads = await asyncio.gather(*(answered(each) for each in connections))
    assert heads[0].startswith(b"HTTP/1.1 400 ")
    assert heads[1].startswith(b"HTTP/1.1 400 ")
    # A stream's answer may have begun, and says it as its last word.
    assert heads[2].startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 200 "))


async def answered(streams: Streams) -> bytes:
    """What is answered to a body that comes byte by byte."""
    reader, writer = streams
    dripping = asyncio.create_task(drip(writer, b" "))
    try:
        return await reader.readuntil(b"INVALID_HTTP")
    finally:
        dripping.cancel()
        await asyncio.wait([dripping])


async def test_more_watches_than_may_be_are_refused_until_others_end(narrow: Replica) -> None:
    async with connected(narrow, *[WATCH] * WATCHES) as served:
        for reader, _ in served:
            assert await reader.readuntil(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
            await reader.readuntil(b"event: bookmark")
        assert await status_of(narrow, WATCH) == b"429"
        assert await status_of(narrow, LIVE) == b"200"
        served[0][1].close()
        await until(lambda: is_served(narrow), what="a place for another watch")


async def is_served(replica: Replica) -> bool:
    return await status_of(replica, WATCH) == b"200"


async def status_of(replica: Replica, request: bytes) -> bytes:
    async with connected(replica, request) as (streams,):
        line = await streams[0].readuntil(b"\r\n")
    return line.split()[1]


async def test_more_connections_than_may_be_are_told_so(narrow: Replica) -> None:
    async with connected(narrow, *[b"GET"] * CONNECTIONS), connected(narrow, b"") as (more,):
        answer, _ = await heard(more)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
        assert b"Retry-After: 5" in head
        assert b"TOO_BUSY" in body
        assert b"MDS_HTTP_CONNECTIONS" in body
    await until(lambda: lives(narrow), what="places for other connections")
    async with aiohttp.ClientSession() as http, http.get(f"{narrow.http}/metrics") as reply:
        refused = re.search(r'_refused_total{cause="connections"} (.*)', await reply.text())
    assert refused is not None
    assert float(refused[1]) >= 1


async def lives(replica: Replica) -> bool:
    return await status_of(replica, LIVE) == b"200"


async def test_more_connections_of_grpc_than_may_be_are_closed(narrow: Replica) -> None:
    async with contextlib.AsyncExitStack() as silent:
        for _ in range(GRPC_CONNECTIONS):
            _, writer = await asyncio.open_connection("127.0.0.1", narrow.port)
            silent.callback(writer.close)
        reader, writer = await asyncio.open_connection("127.0.0.1", narrow.port)
        silent.callback(writer.close)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert await narrow.health() == "UNREACHABLE"
    await until(lambda: serves(narrow), what="a place for a connection")


async def serves(replica: Replica) -> bool:
    return await replica.health() == "SERVING"
