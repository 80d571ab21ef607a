"""Charts and the topology as a browser shows them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from mds.v1 import unit_server_pb2
from playwright.async_api import Page, expect

from control_units.client import Client
from metadata_server.domain.life.state import Health
from metadata_server.domain.sample import FINE_US, Sample
from metadata_server.store import samples as table
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.browsers import NewPage, until_true
from tests.webui.conftest import Site, running_site
from tests.webui.facility import declare_facility

INK = """(tone) => {
  const canvas = document.querySelector('[data-chart="health"] canvas');
  const wanted = getComputedStyle(document.querySelector(`[data-chart="health"] .key.${tone}`)).color
    .match(/\\d+/g).map(Number);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] > 200 && wanted.every((value, n) => Math.abs(data[at + n] - value) < 8)) return true;
  return false;
}"""
"""Whether a colour of the legend is in the first chart."""
DRAWN = "document.querySelectorAll('.plot canvas').length === 4"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(
    database_of_module: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    replica = Replica(database_of_module, tmp_path_factory.mktemp("charts"))
    try:
        await replica.start()
        async with Client(replica.address) as client:
            await declare_facility(client, 24)
            record(database_of_module, bad=3, begin=200, end=100)
            yield client
    finally:
        replica.program.clear()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(client: Client) -> AsyncIterator[Site]:
    async with running_site(client.addresses[0], follow=True) as site:
        await until(lambda: site.hub.picture.link == "live", what="the first picture")
        yield site


def record(database: str, *, bad: int, begin: int, end: int) -> None:
    """Samples of the past, as a replica would have taken them then."""

    def work(unit: UnitOfWork) -> None:
        now_us = unit.now_us // FINE_US * FINE_US
        times = (now_us - n * FINE_US for n in range(begin, end, -1))
        found = [Sample(time_us=at, healths={Health.BAD: bad}) for at in times]
        table.write(unit, found, FINE_US)

    with opened_store(database) as store:
        store.transact_now(work)


async def is_drawn(page: Page, tone: str) -> bool:
    await until_true(page, DRAWN)
    return bool(await page.evaluate(INK, tone))


async def test_only_what_is_not_good_has_a_colour_in_either_theme(
    site: Site, new_page: NewPage
) -> None:
    page = await new_page(dark=True)
    await page.goto(f"{site.url}/")
    assert await is_drawn(page, "bad")
    assert not await is_drawn(page, "unknown")
    await page.emulate_media(color_scheme="light")
    await until_true(page, f"({INK})('bad')")
    await page.locator("summary", has_text="Theme").click()
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await until_true(page, f"({INK})('bad')")
    await expect(page.locator("summary", has_text="Theme")).to_be_focused()
    await page.get_by_role("link", name="7 days").click()
    await page.wait_for_url("**/?range=7d")
    await until_true(page, DRAWN)
    assert await page.locator("[style*='width']").count() > 0  # set by script, not by the page


async def test_a_chart_goes_on_without_being_drawn_anew(site: Site, new_page: NewPage) -> None:
    page = await new_page()
    await page.clock.install()
    await page.goto(f"{site.url}/")
    await until_true(page, DRAWN)
    await page.evaluate("document.querySelectorAll('canvas').forEach((c) => (c.mine = true))")
    async with page.expect_response("**/charts?range=1h"):
        await page.clock.run_for(11_000)
    assert await page.evaluate("[...document.querySelectorAll('canvas')].every((c) => c.mine)")


async def test_without_scripts_charts_are_drawn_by_the_server(
    site: Site, new_page: NewPage
) -> None:
    page = await new_page(javascript=False)
    await page.goto(f"{site.url}/")
    await expect(page.locator('[data-chart="health"] svg path.bad')).to_have_count(1)
    await page.get_by_text("The same as a table").click()
    await expect(page.locator(".chart-table tbody tr").first).to_be_visible()


async def test_the_topology_is_walked_by_keys_and_shows_what_is_new(
    site: Site, client: Client, new_page: NewPage
) -> None:
    page = await new_page(size=(390, 844))
    await page.goto(f"{site.url}/topology")
    chips = page.locator(".chip")
    before = await chips.count()
    assert before > 0
    first = page.locator(".box a.opens").first
    await first.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/topology?open=*")
    assert await chips.count() < before
    await until_true(page, "document.body.dataset.link === 'live'")
    await client.unit_servers.create(unit_server_pb2.UnitServer(name="unit_servers/ZZ/NEW"))
    await expect(page.locator(".box", has_text="ZZ/NEW")).to_have_count(1)


async def test_a_wall_has_all_of_it_and_nothing_to_choose(site: Site, new_page: NewPage) -> None:
    page = await new_page(size=(3840, 2160))
    await page.goto(f"{site.url}/?wall")
    await until_true(page, DRAWN)
    await expect(page.locator("svg.topology")).to_be_visible()
    await expect(page.locator(".charts .choices")).to_be_hidden()
    # A text that is read from 5 m away is at least 24 px high on such a screen.
    sizes = await page.evaluate(
        "[...document.querySelectorAll('.attention, #headline h1, .plot')]"
        ".map((e) => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 24
