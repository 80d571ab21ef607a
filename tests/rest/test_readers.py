"""Readers of streams: slow ones are cut off, quiet streams show that they are there, files that
break off are seen to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from mds.v1.position_pb2 import Position
from mds.v1.watch_pb2 import WatchResponse

from metadata_server.api.rest import streams
from metadata_server.api.rest.application import served_routes
from metadata_server.api.rest.context import RestContext
from metadata_server.api.rest.formats import Csv
from metadata_server.api.rest.lists import FileAnswer
from metadata_server.api.rest.streams import EVENTS, Answering, StreamAnswer, Streamed, send_stream
from metadata_server.domain.refused import Refused

ROUTES = {route.name: route for route in served_routes()}
Texts = Callable[[Streamed], AsyncIterator[bytes]]


@asynccontextmanager
async def serving(texts: Texts, answer: Answering) -> AsyncIterator[tuple[str, list[Streamed]]]:
    """URL of a server that streams some texts to whoever comes."""
    begun: list[Streamed] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        streamed = Streamed(request, RestContext(request.headers))
        streamed.answer = answer
        begun.append(streamed)
        return await send_stream(streamed, texts(streamed))

    application = web.Application()
    application.router.add_get("/", handle)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", begun
    finally:
        await runner.cleanup()


async def test_a_reader_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SLOWEST_READER_S", 0.2)
    ended = asyncio.Event()

    async def endless(_: Streamed) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1_000_000
        finally:
            ended.set()

    answer = StreamAnswer(ROUTES["Watch.Watch"], EVENTS, {})
    async with serving(endless, answer) as (url, _):
        port = int(url.rsplit(":", 1)[1].rstrip("/"))
        _reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            await ended.wait()
        writer.transport.abort()


async def test_a_quiet_stream_begins_and_shows_that_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "FIRST_WORD_S", 0.05)
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)
    over = asyncio.Event()

    async def quiet(_: Streamed) -> AsyncIterator[bytes]:
        await over.wait()
        yield b"event: message\ndata: {}\n\n"

    answer = StreamAnswer(ROUTES["Watch.Watch"], EVENTS, {})
    async with (
        serving(quiet, answer) as (url, _),
        aiohttp.ClientSession() as session,
        session.get(url) as response,
    ):
        async with asyncio.timeout(10):
            assert await response.content.readline() == b"retry: 1000\n"
            assert await response.content.readuntil(b"still here\n\n")
        over.set()
        assert (await response.read()).endswith(b"data: {}\n\n")


async def test_a_file_that_breaks_off_is_no_whole_file() -> None:
    async def breaking(streamed: Streamed) -> AsyncIterator[bytes]:
        yield b"name\r\n"
        streamed.context.refused = Refused.busy("DATABASE_UNAVAILABLE", "It is away.")

    answer = FileAnswer(ROUTES["Agents.ListAgents"], Csv)
    async with (
        serving(breaking, answer) as (url, _),
        aiohttp.ClientSession() as session,
        session.get(url) as response,
    ):
        assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await response.read()


def test_what_many_watchers_are_sent_is_written_once_and_little_of_it_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = StreamAnswer(ROUTES["Watch.Watch"], EVENTS, {})
    messages = [
        WatchResponse(position=Position(store_id="s" * 1000, revision=number)).SerializeToString()
        for number in range(100)
    ]
    first = answer.text(messages[0])
    assert answer.text(bytes(bytearray(messages[0]))) is first
    monkeypatch.setattr(streams, "KEPT_BYTES", 10_000)
    told = [answer.text(message) for message in messages]
    assert told[0] is first
    assert answer.text(messages[-1]) is told[-1]
    assert answer.text(messages[0]) is not first
