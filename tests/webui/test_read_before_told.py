"""What was read before a change, and shown after it was told, is read again."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from mds.v1.unit_server_pb2 import UnitServer
from playwright.async_api import Page, Route, expect

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.browsers import NewPage, until_true
from tests.webui.conftest import Site, running_site
from tests.webui.magnets import declare_magnets
from webui.lists import pages as lists
from webui.lists.suggesting import keys_of
from webui.live.hub import KEPT_PICTURES

StartReplica = Callable[..., Awaitable[Replica]]
IDS = ("RING/Q1", "RING/Q2")
NAMES = [f"control_units/{id}" for id in IDS]
# That the fixture makes: servers, magnets, and where each of these is hosted.
CHANGES = 2 + len(IDS)
NEW = "what it is now"
LIST = "/control_units?columns=id,description"


@dataclass
class Place:
    site: Site
    client: Client

    async def change(self) -> None:
        """Changes the first unit; returns when all browsers are told so."""
        number = self.site.hub.picture.number

        def edit(unit: Any) -> None:
            unit.description = NEW

        await self.client.control_units.change(IDS[0], edit, reason="a test")

        def is_told() -> bool:
            newest = self.site.hub.picture
            return newest.number > number and NAMES[0] in (newest.touched or ())

        await until(is_told, within=5, what="the picture that tells of the change")


@pytest_asyncio.fixture(loop_scope="session")
async def place(start_replica: StartReplica, sqlite_database: str) -> AsyncIterator[Place]:
    replica = await start_replica(sqlite_database)
    async with (
        Client(replica.address) as client,
        running_site(replica.address, follow=True) as site,
    ):
        await client.apply([UnitServer(name="unit_servers/S")], reason="a test")
        await declare_magnets(client, *IDS)
        for id in IDS:
            await client.control_units.change(id, _host, reason="a test")
        await until(lambda: site.hub.picture.link == "live", what="the first picture")
        # All that has been declared is told before a test begins.
        await until(
            lambda: len(site.hub.picture.lists["changes"]) == CHANGES, what="all change sets"
        )
        yield Place(site, client)


def _host(unit: Any) -> None:
    unit.unit_server = "unit_servers/S"


@dataclass
class Held:
    """A page that has read its rows, and waits for a slow call before it is drawn."""

    goes_on: asyncio.Event
    page: asyncio.Task[str]


@pytest_asyncio.fixture(loop_scope="session")
async def held(place: Place, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Held]:
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slowly(client: Client, kind: str) -> Any:
        begun.set()
        await goes_on.wait()
        return await keys_of(client, kind)

    monkeypatch.setattr(lists, "keys_of", slowly)
    page = asyncio.create_task(place.site.text(LIST))
    async with asyncio.timeout(5):
        await begun.wait()
    yield Held(goes_on, page)
    page.cancel()


async def told_next(site: Site, page: str) -> dict[str, Any]:
    """What a browser is told first that has loaded a page."""
    (picture,) = re.findall(r'data-picture="([^"]+)"', page)
    async with site.http.get(f"/events?picture={picture}") as stream, asyncio.timeout(5):
        await stream.content.readuntil(b"event: picture\n")
        await stream.content.readuntil(b"data: ")
        told: dict[str, Any] = json.loads(await stream.content.readline())
        return told


@pytest.mark.asyncio(loop_scope="session")
async def test_a_page_that_was_read_before_a_change_is_told_of_it(place: Place, held: Held) -> None:
    await place.change()
    held.goes_on.set()
    page = await held.page
    assert NEW not in page, "it was read before"
    assert NAMES[0] in (await told_next(place.site, page))["touched"]


@pytest.mark.asyncio(loop_scope="session")
async def test_a_page_whose_picture_is_not_kept_any_more_is_told_everything(
    place: Place, held: Held
) -> None:
    await place.change()
    newest = place.site.hub.picture
    for _ in range(KEPT_PICTURES + 1):
        place.site.hub.show(
            link=newest.link, pieces=newest.pieces, lists=newest.lists, touched=frozenset({"x/y"})
        )
    held.goes_on.set()
    told = await told_next(place.site, await held.page)
    assert told["touched"] is None
    assert "headline" in told["pieces"]


async def hold(page: Page, pattern: str, place: Place, *, until_read: str = "") -> None:
    """Delivers an answer that was read before a change only after the browser was told of it.

    Args:
        until_read: what the browser then reads first, a part of its address.
    """
    reads: list[str] = []
    page.on("requestfinished", lambda request: reads.append(request.url))
    await page.evaluate(
        """(name) => document.addEventListener("mds:touched", ({ detail }) => {
             window.told ||= detail === null || detail.includes(name); })""",
        NAMES[0],
    )

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await place.change()
        await until_true(page, "window.told")
        await until(lambda: not until_read or any(until_read in url for url in reads))
        await route.fulfill(response=answer)

    await page.route(re.compile(pattern), late, times=1)


async def test_units_that_were_read_before_a_change_are_read_again(
    place: Place, new_page: NewPage
) -> None:
    page = await new_page()
    await page.goto(f"{place.site.url}/")
    await until_true(page, "document.body.dataset.link === 'live'")
    await until_true(page, "document.body.hasAttribute('data-heard')")
    await hold(page, r"/unit_servers/S\?fragment=units", place)
    reads: list[str] = []
    page.on("response", lambda answer: reads.append(answer.url))
    await page.locator("[id='server:S'] summary").click()
    await expect(page.locator("[id='server:S/list']")).to_contain_text("RING/Q1")

    async def is_read_again() -> bool:
        return sum("fragment=units" in url for url in reads) > 1

    await until(is_read_again, within=5, what="another reading of the units")


async def test_a_list_that_was_read_before_a_change_shows_the_change(
    place: Place, new_page: NewPage
) -> None:
    page = await new_page()
    await page.goto(f"{place.site.url}{LIST}&q=id%3DRING/Q2")
    await until_true(page, "document.body.hasAttribute('data-heard')")
    pattern = r"/control_units\?(?!.*fragment=).*level"
    await hold(page, pattern, place, until_read="fragment=names")
    await page.fill("#q", "level=0")
    row = page.locator(f"[id='row:{NAMES[0]}']")
    await expect(row).to_be_visible()
    await expect(row).to_contain_text(NEW, timeout=5000)
