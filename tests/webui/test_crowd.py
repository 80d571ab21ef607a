"""How many requests of browsers are answered at once."""

import asyncio
import socket
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from tests.webui.conftest import OpenSite

PAGE = "/control_units/ONE"


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        yield f"{host}:{port}"


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
