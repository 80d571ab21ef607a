"""Two people edit the same unit, each in a browser; what they type is kept through a reload."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.requirements import needs
from tests.webui.chromium import Chromium, Page, chromium, what_is_missing
from tests.webui.conftest import OpenSite
from tests.webui.magnets import ID, PAGE, declare_magnets

StartReplica = Callable[..., Awaitable[Replica]]
CURRENT = "document.querySelector('[name=\"overrides[current].default_value\"]')"
RAMP = "document.querySelector('[name=\"parameters[ramp]\"]')"


@dataclass
class Place:
    url: str
    client: Client
    browser: Chromium

    async def editor(self) -> Page:
        page = await self.browser.page()
        await page.open(f"{self.url}{PAGE}/edit")
        return page


@pytest.fixture
async def place(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite, tmp_path: Path
) -> AsyncIterator[Place]:
    needs(what_is_missing())
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client, chromium(tmp_path) as browser:
        await declare_magnets(client)
        yield Place((await open_site(replica.address)).url, client, browser)


async def type_into(page: Page, field: str, text: str) -> None:
    """As a person does: the page hears of it."""
    script = (
        f"{field}.value = '{text}', {field}.dispatchEvent(new Event('input', {{bubbles: true}}))"
    )
    await page.evaluate(script)


async def save(page: Page) -> None:
    await page.evaluate("document.querySelector('form.editing button.main').click()")


async def text_of(page: Page) -> str:
    return str(await page.evaluate("document.querySelector('main').innerText"))


async def test_the_slower_of_two_chooses_field_by_field(place: Place) -> None:
    faster, slower = await place.editor(), await place.editor()
    await type_into(faster, CURRENT, "20")
    await type_into(slower, CURRENT, "30")
    await type_into(slower, RAMP, "7")
    await save(faster)
    await faster.until("document.querySelector('[data-saved]')")

    await save(slower)
    await slower.until("document.querySelector('.choices')")
    # Nothing is chosen for somebody: the browser itself asks for what is missing.
    await save(slower)
    assert await slower.evaluate("document.querySelector('form.editing').checkValidity()") is False
    mine = 'document.querySelector(\'[name="overrides[current].default_value"][value="30"]\')'
    await slower.evaluate(f"{mine}.click()")
    await save(slower)
    await slower.until("document.querySelector('[data-saved]')")
    unit = await place.client.control_units.get(ID)
    assert (unit.overrides[0].default_value, unit.parameters["ramp"]) == ("30", "7")
    # The other one sees it without doing anything.
    await faster.open(f"{place.url}{PAGE}")
    await faster.until("document.querySelector('main').innerText.includes('30')")
    # The browser tells of each answer that is a refusal: the conflict was one.
    assert [fault for fault in slower.faults if "412" not in fault] == []


async def test_a_reload_loses_nothing_that_was_typed_until_it_is_saved(place: Place) -> None:
    page = await place.editor()
    await type_into(page, CURRENT, "25")
    await page.call("Page.reload")
    await page.until(f"{CURRENT}?.value === '25'")
    assert "What you typed before is here again" in await text_of(page)
    await save(page)
    await page.until("document.querySelector('[data-saved]')")
    await page.until("!Object.keys(sessionStorage).some((key) => key.startsWith('draft '))")
    await page.evaluate("document.querySelector('[data-saved] button').click()")
    await page.until("document.querySelector('main').innerText.includes('Taken back')")
    assert not (await place.client.control_units.get(ID)).overrides
    assert page.faults == []
