"""Two people edit the same unit, each in a browser; what they type is kept through a reload."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest_asyncio
from mds.v1.history_pb2 import UndoRequest
from playwright.async_api import Locator, Page, expect

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage, until_true
from tests.webui.conftest import running_site
from tests.webui.magnets import ID, PAGE, declare_magnets

StartReplica = Callable[..., Awaitable[Replica]]
CURRENT = "overrides[current].default_value"
RAMP = "parameters[ramp]"


@dataclass
class Place:
    url: str
    client: Client
    new_page: NewPage

    async def editor(self, *, expected: str = "") -> Page:
        page = await self.new_page(expected=expected)
        await page.goto(f"{self.url}{PAGE}/edit")
        return page


@pytest_asyncio.fixture(loop_scope="session")
async def place(
    start_replica: StartReplica, mariadb_database: str, new_page: NewPage
) -> AsyncIterator[Place]:
    replica = await start_replica(mariadb_database)
    async with Client(replica.address) as client, running_site(replica.address) as site:
        await declare_magnets(client)
        yield Place(site.url, client, new_page)


def field(page: Page, name: str) -> Locator:
    return page.locator(f'[name="{name}"]')


async def save(page: Page) -> None:
    await page.locator("form.editing button.main").first.click()


async def test_the_slower_of_two_chooses_field_by_field(place: Place) -> None:
    # The browser tells of each answer that is a refusal: the conflict is one.
    faster, slower = await place.editor(), await place.editor(expected="412")
    await field(faster, CURRENT).fill("20")
    await field(slower, CURRENT).fill("30")
    await field(slower, RAMP).fill("7")
    await save(faster)
    await faster.wait_for_selector("[data-saved]")

    await save(slower)
    await slower.wait_for_selector(".choices")
    # Nothing is chosen for somebody: the browser itself asks for what is missing.
    await save(slower)
    assert await slower.evaluate("document.querySelector('form.editing').checkValidity()") is False
    await slower.locator(f'[name="{CURRENT}"][value="30"]').click()
    await save(slower)
    await slower.wait_for_selector("[data-saved]")
    unit = await place.client.control_units.get(ID)
    assert (unit.overrides[0].default_value, unit.parameters["ramp"]) == ("30", "7")
    # The other one sees it without doing anything.
    await faster.goto(f"{place.url}{PAGE}")
    await expect(faster.locator("main")).to_contain_text("30")


async def test_a_reload_loses_nothing_that_was_typed_until_it_is_saved(place: Place) -> None:
    page = await place.editor()
    await field(page, CURRENT).fill("25")
    await page.reload()
    await expect(field(page, CURRENT)).to_have_value("25")
    await expect(page.locator("main")).to_contain_text("What you typed before is here again")
    await save(page)
    await page.wait_for_selector("[data-saved]")
    drafts = "Object.keys(sessionStorage).filter((key) => key.startsWith('draft '))"
    await until_true(page, f"{drafts}.length === 0")
    await page.locator("[data-saved] button").click()
    await expect(page.locator("main")).to_contain_text("Taken back")
    assert not (await place.client.control_units.get(ID)).overrides


async def test_an_undo_is_loud_for_five_seconds_and_then_a_quiet_line(place: Place) -> None:
    page = await place.editor()
    await field(page, CURRENT).fill("20")
    await save(page)
    bar = page.locator("[data-saved]")
    await bar.wait_for()
    told = "document.querySelector('[data-saved]')"
    runs = f"{told}.getAnimations({{subtree: true}})"
    lasts = f"{runs}.map((each) => each.effect.getComputedTiming().endTime / 1000)"
    assert sorted(await page.evaluate(lasts)) == [5, 5.4]
    loud = await page.evaluate(f"getComputedStyle({told}).borderTopColor")
    await page.evaluate(f"{runs}.forEach((each) => each.finish())")  # five seconds later
    assert await page.evaluate(f"getComputedStyle({told}).borderTopColor") != loud
    # Nobody is told to hurry any more, and whoever finds it later still takes it back.
    change = (await place.client.control_units.get(ID)).revision
    await place.client.history.Undo(UndoRequest(name=f"change_sets/{change}", request_id="later"))
    assert not (await place.client.control_units.get(ID)).overrides
