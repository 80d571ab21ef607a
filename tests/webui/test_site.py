"""The page over HTTP, while no metadata server answers."""

import asyncio
import json
import re
import socket

import pytest
from structlog.testing import capture_logs

from tests.stages.waiting import until
from tests.webui.conftest import OpenSite
from webui.live import events
from webui.live.pulse import Pulse
from webui.units import pages

PATHS = ["/", "/static/live.js", "/static/page.css", "/healthz/live", "/healthz/ready", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
async def test_each_answer_forbids_what_the_page_does_not_need(
    open_site: OpenSite, path: str
) -> None:
    site = await open_site()
    async with site.http.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        expected = "no-cache" if path.startswith("/static/") else "no-store"
        assert answer.headers["Cache-Control"] == expected
        assert "aiohttp" not in answer.headers["Server"]


async def test_the_page_has_no_script_or_style_inside_and_nothing_from_elsewhere(
    open_site: OpenSite,
) -> None:
    text = await (await open_site()).text("/")
    assert "<style" not in text
    assert " style=" not in text
    assert text.count("<script") == len(re.findall(r'<script [a-z="]* ?src="/static/', text))
    assert "http://" not in text
    assert "https://" not in text


async def test_without_a_server_the_page_says_that_it_knows_nothing(open_site: OpenSite) -> None:
    site = await open_site()
    text = await site.text("/")
    assert 'data-link="waiting"' in text
    assert "No answer yet from the metadata server" in text
    assert await site.text("/healthz/live") == "live\n"
    assert "does not answer" in await site.text("/healthz/ready", status=503)


@pytest.mark.parametrize("path", ["/control_units/A/B", "/unit_servers/X", "/unit_servers/X/units"])
async def test_a_page_that_cannot_be_read_says_why(
    open_site: OpenSite, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "READ_SECONDS", 0.2)
    site = await open_site()
    assert "The metadata server does not answer" in await site.text(path, status=503)
    assert "<html" not in await site.text(f"{path}?fragment=main", status=503)


async def test_a_browser_is_told_the_picture_and_then_each_change(open_site: OpenSite) -> None:
    site = await open_site()
    async with site.http.get("/events") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        lines = stream.content
        assert await lines.readline() == b"retry: 1000\n"
        await lines.readuntil(b"event: picture\n")
        id = (await lines.readline()).decode().strip().removeprefix("id: ")
        assert id == site.hub.picture_id(site.hub.picture)
        site.hub.beat(Pulse(1000, "noon", {"PS/0": 1000}))
        await lines.readuntil(b'event: pulse\ndata: {"time":1,"clock":"noon","whole":true}\n\n')
        site.hub.show(link="live", pieces={"a": "b"}, lists={})
        await lines.readuntil(b"event: picture\n")
        await lines.readline()
        assert json.loads((await lines.readline()).removeprefix(b"data: "))["pieces"] == {"a": "b"}


async def test_a_browser_that_comes_back_goes_on_from_its_picture(open_site: OpenSite) -> None:
    site = await open_site()
    site.hub.show(link="live", pieces={"a": "1", "b": "1"}, lists={})
    last = site.hub.picture_id(site.hub.picture)
    site.hub.show(link="live", pieces={"a": "1", "b": "2"}, lists={})
    # The address is as old as the page; what the browser says itself is newer.
    request = site.http.get("/events?picture=x-1", headers={"Last-Event-ID": last})
    async with request as stream:
        await stream.content.readuntil(b"data: ")
        assert json.loads(await stream.content.readline())["pieces"] == {"b": "2"}


async def test_without_news_there_are_signs_of_life(
    open_site: OpenSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "ALIVE_SECONDS", 0.05)
    site = await open_site()
    async with site.http.get("/events") as stream:
        await stream.content.readuntil(b"event: alive\n")


async def test_one_browser_too_many_is_told_to_wait(open_site: OpenSite) -> None:
    site = await open_site(most_viewers=1)
    async with site.http.get("/events") as first:
        await first.content.readline()
        async with site.http.get("/events") as second:
            assert second.status == 503
            assert second.headers["Retry-After"] == "10"
            assert "MDS_WEB_BROWSERS" in await second.text()
    await until(lambda: site.hub.viewers == 0, what="the seat of a browser that left")


async def test_a_browser_that_does_not_read_is_let_go(
    open_site: OpenSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "WRITE_SECONDS", 0.2)
    site = await open_site()
    port = int(site.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as deaf:
        deaf.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: site.hub.viewers == 1)

        def flood() -> bool:
            number = site.hub.picture.number
            site.hub.show(link="live", pieces={"a": str(number) * 1_000_000}, lists={})
            return site.hub.viewers == 0

        await until(flood, within=10, what="the end of a browser that does not read")
        # It reads nothing still: what was meant for it is thrown away, not kept for it.
        await until(lambda: site.connections == 0, within=5)


async def test_a_browser_that_goes_away_ends_what_is_read_for_it(open_site: OpenSite) -> None:
    site = await open_site()
    with capture_logs() as logged:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await site.text("/control_units/A")
        await until(lambda: [e["status"] for e in logged if e["event"] == "answered"], within=2)
    assert [e["status"] for e in logged if e["event"] == "answered"] == [499]


async def test_stopping_ends_streams_at_once(open_site: OpenSite) -> None:
    site = await open_site()
    async with site.http.get("/events") as stream:
        await stream.content.readline()
        site.hub.close()
        async with asyncio.timeout(2):
            while await stream.content.readline():
                pass


async def test_a_page_for_a_wall_leads_nowhere_else(open_site: OpenSite) -> None:
    site = await open_site()
    assert "data-wall" in (await site.text("/?wall")).partition("<main")[0]
    plain = await site.text("/")
    assert "data-wall" not in plain
    assert 'href="/?wall"' in plain
