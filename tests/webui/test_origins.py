"""Who may change something: our own pages and programs, no page of another address."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from webui.origins import keep_other_origins_out


async def answer(method: str, headers: dict[str, str]) -> tuple[int, str]:
    async def changed(_: web.Request) -> web.Response:
        return web.Response(text="changed\n")

    app = web.Application(middlewares=[keep_other_origins_out])
    app.router.add_route("*", "/", changed)
    async with (
        TestClient(TestServer(app)) as client,
        client.request(method, "/", headers={"Host": "mds:7402", **headers}) as reply,
    ):
        return reply.status, await reply.text()


OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://mds:7402"},
    # A proxy changed the name; the browser knows better.
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://control.example"},
]
OTHERS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://mds:7402"},
    {"Origin": "http://mds:80"},
    {"Origin": "http://other:7402"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", OWN)
async def test_our_own_pages_and_programs_may_change_something(headers: dict[str, str]) -> None:
    assert await answer("POST", headers) == (200, "changed\n")


@pytest.mark.parametrize("headers", OTHERS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_pages_of_other_addresses_may_change_nothing(
    method: str, headers: dict[str, str]
) -> None:
    status, text = await answer(method, headers)
    assert status == 403
    assert "Nothing has been changed" in text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_whoever_only_looks_may_come_from_anywhere(method: str) -> None:
    status, _ = await answer(method, {"Sec-Fetch-Site": "cross-site"})
    assert status == 200
