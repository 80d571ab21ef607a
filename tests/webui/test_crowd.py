"""How many requests of browsers are answered at once."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus

import pytest
from yarl import URL

from tests.stages.waiting import until
from tests.webui.conftest import OpenSite, Site
from webui import arriving
from webui.crowd import COMING_FOR_EACH_PLACE

PAGE = "/control_units/ONE"
FORM = b"token=x&typed="


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        yield f"{host}:{port}"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has much patience with a form: 0.3 s, and what comes hardly makes it more."""
    monkeypatch.setattr(arriving, "PATIENCE_S", 0.3)
    monkeypatch.setattr(arriving, "SLOWEST_BYTES_S", 1_000_000)


async def test_beyond_the_limit_a_page_is_told_to_come_again(
    open_site: OpenSite, silent: str
) -> None:
    site = await open_site(silent, most_requests=2)
    slow = [asyncio.create_task(site.http.get(PAGE)) for _ in range(3)]
    (refused,), waiting = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
    answer = await refused
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert (answer.headers["Retry-After"], answer.headers["Refresh"]) == ("1", "1")
    async with site.http.get(PAGE, headers={"HX-Request": "true"}) as part:
        assert (part.status, part.headers["Retry-After"]) == (503, "1")
        assert "Refresh" not in part.headers
    await site.text("/healthz/live")
    async with site.http.get("/events") as stream:
        assert stream.status == HTTPStatus.OK
    for each in waiting:
        assert "MDS_WEB_REQUESTS" not in await (await each).text()
    text = await site.text(PAGE, status=HTTPStatus.SERVICE_UNAVAILABLE)
    assert "MDS_WEB_REQUESTS" not in text, "there is room again"


async def begin_log_in(site: Site, *, length: int | None) -> tuple[StreamReader, StreamWriter]:
    """Of a form so long, or in chunks, only the head."""
    url = URL(site.url)
    assert url.host
    assert url.port
    reader, writer = await asyncio.open_connection(url.host, url.port)
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    head = "POST /login HTTP/1.1", f"Host: {url.host}:{url.port}", size
    kind = "Content-Type: application/x-www-form-urlencoded"
    writer.write("\r\n".join([*head, kind, "", ""]).encode())
    return reader, writer


@pytest.fixture
async def begun() -> AsyncIterator[list[StreamWriter]]:
    """What tests began to send."""
    writers: list[StreamWriter] = []
    yield writers
    for each in writers:
        each.transport.abort()


async def arrived(site: Site, count: int) -> None:
    """So many connections are there."""
    await until(lambda: site.connections == count, within=5)


async def test_forms_that_are_never_sent_take_no_place(
    open_site: OpenSite, begun: list[StreamWriter]
) -> None:
    site = await open_site(most_requests=2)
    for _ in range(2 * COMING_FOR_EACH_PLACE):
        _reader, writer = await begin_log_in(site, length=100)
        begun.append(writer)
    await arrived(site, len(begun))
    for _ in range(3):
        await site.text("/login")
    async with site.http.post("/login", data={"token": "x"}) as answer:
        assert answer.status == HTTPStatus.UNAUTHORIZED, await answer.text()


@pytest.mark.parametrize("length", [60_000, 1_000_000])
async def test_only_so_many_forms_are_waited_for(
    open_site: OpenSite, begun: list[StreamWriter], length: int
) -> None:
    site = await open_site(most_requests=2)
    readers = []
    for _ in range(2 * COMING_FOR_EACH_PLACE):
        reader, writer = await begin_log_in(site, length=length)
        begun.append(writer)
        readers.append(reader)
        writer.write(b"t")
    await arrived(site, len(begun))
    reader, writer = await begin_log_in(site, length=length)
    begun.append(writer)
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Connection: close" in head
        assert await reader.readuntil(b"MDS_WEB_REQUESTS")
    await site.text("/login")
    begun[0].write(FORM.ljust(length, b"x")[1:])
    async with asyncio.timeout(5):
        assert (await readers[0].readline()).startswith(b"HTTP/1.1 401 ")
    reader, writer = await begin_log_in(site, length=len(FORM))
    begun.append(writer)
    await asyncio.sleep(0.1)  # so that its head comes by itself
    writer.write(FORM)
    async with asyncio.timeout(5):
        answer = await reader.readline()
    assert answer.startswith(b"HTTP/1.1 401 "), "there is room again"


async def test_large_forms_that_stop_coming_leave_places(
    open_site: OpenSite, begun: list[StreamWriter]
) -> None:
    site = await open_site(most_requests=4)
    for _ in range(60):
        _reader, writer = await begin_log_in(site, length=1_000_000)
        begun.append(writer)
        writer.write(b"a" * 100_000)
        await writer.drain()
    await arrived(site, 60)
    for _ in range(3):
        await site.text("/login")


async def test_a_form_that_does_not_come_is_ended(
    open_site: OpenSite, begun: list[StreamWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "PATIENCE_S", 0.3)
    site = await open_site()
    for sent in (b"", b"token=x&typed=" + b"x" * 1000):
        reader, writer = await begin_log_in(site, length=200_000)
        begun.append(writer)
        writer.write(sent)
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
            assert await reader.readuntil(b"came too slowly")


@pytest.mark.usefixtures("hurried")
async def test_a_form_in_crumbs_whose_end_does_not_come_is_ended(
    open_site: OpenSite, begun: list[StreamWriter]
) -> None:
    """Of so many chunks no more is read before somebody takes some."""
    site = await open_site()
    reader, writer = await begin_log_in(site, length=None)
    begun.append(writer)
    writer.write(b"1\r\nx\r\n" * 20_000)
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")


@pytest.mark.usefixtures("hurried")
async def test_a_form_whose_end_does_not_come_is_ended_while_it_is_read(
    open_site: OpenSite, begun: list[StreamWriter]
) -> None:
    site = await open_site(most_requests=2)
    reader, writer = await begin_log_in(site, length=1_000_000)
    begun.append(writer)
    writer.write(b"token=x&typed=" + b"x" * 300_000)
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")


async def test_a_form_that_comes_slowly_but_at_a_pace_is_taken(
    open_site: OpenSite, begun: list[StreamWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "PATIENCE_S", 0.5)
    monkeypatch.setattr(arriving, "SLOWEST_BYTES_S", 100_000)
    site = await open_site()
    part, parts = 20_000, 15
    reader, writer = await begin_log_in(site, length=part * parts)
    begun.append(writer)
    for text in (b"token=x&typed=".ljust(part, b"x"), *[b"x" * part] * (parts - 1)):
        writer.write(text)
        await asyncio.sleep(0.1)  # the pace that is tried: 200 kB a second, three times patience
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
