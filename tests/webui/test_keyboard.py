"""Hands on the keyboard, in a real browser and beside a real server."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.webui.browsers import NewPage, until_true
from tests.webui.conftest import Site
from tests.webui.looked_at import looked_at


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(
    database_of_module: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    async with looked_at(tmp_path_factory.mktemp("keyboard"), database_of_module) as started:
        yield started


async def test_hands_stay_on_the_keyboard(site: Site, new_page: NewPage) -> None:
    page = await new_page()
    await page.goto(f"{site.url}/")

    # g and a letter go to a page of the header.
    await page.keyboard.press("g")
    await page.keyboard.press("u")
    await page.wait_for_url(f"{site.url}/control_units")

    # Rows: down, down, up; tick; the filter; open.
    here, first = page.locator("tr[data-here]"), page.locator("#rows tr").first
    for key in "jjk":
        await page.keyboard.press(key)
    assert await here.get_attribute("data-name") == await first.get_attribute("data-name")
    await page.keyboard.press("x")
    await expect(here.locator("input")).to_be_checked()
    await page.keyboard.press("/")
    field = page.locator("input[name=q]")
    await expect(field).to_be_focused()
    # What is typed into a field is text, and no key.
    await page.keyboard.press("j")
    await expect(field).to_have_value("j")
    await page.goto(f"{site.url}/control_units")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/control_units/BTF/**")

    # Help.
    await page.keyboard.press("?")
    await expect(page.locator("dialog[open] table.keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize("path", ["control_units", "templates", "maintenances", "conditions"])
async def test_a_row_of_a_list_is_edited_by_its_key(
    site: Site, new_page: NewPage, path: str
) -> None:
    page = await new_page()
    await page.goto(f"{site.url}/{path}")
    await page.keyboard.press("j")
    row = await page.locator("tr[data-here]").get_attribute("data-row")
    await page.keyboard.press("e")
    await page.wait_for_url(f"{site.url}{row}/edit")
    await expect(page.locator("form.editing")).to_be_visible()


async def test_a_row_that_nobody_edits_stays_where_it_is(site: Site, new_page: NewPage) -> None:
    page = await new_page()
    await page.goto(f"{site.url}/operations")
    await page.keyboard.press("j")
    await page.keyboard.press("e")
    assert page.url == f"{site.url}/operations"


async def with_palette(site: Site, new_page: NewPage) -> Page:
    """A page over which the palette is open, its field under the hands."""
    page = await new_page()
    await page.goto(f"{site.url}/keys")
    await page.keyboard.press("Control+k")
    await until_true(page, "document.activeElement?.name === 'q'")
    return page


async def test_the_palette_finds_what_is_called_so_and_goes_there(
    site: Site, new_page: NewPage
) -> None:
    page = await with_palette(site, new_page)
    finds = "[...document.querySelectorAll('dialog .finds a')].map((a) => a.pathname)"
    assert "/conditions" in await page.evaluate(finds)
    await page.keyboard.insert_text("linac mag")
    await until_true(page, f"{finds}.includes('/unit_servers/LINAC/MAGNETS')")
    assert sum("/control_units/LINAC/" in each for each in await page.evaluate(finds)) == 6
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    second = await page.evaluate("document.activeElement.pathname")
    assert second == (await page.evaluate(finds))[1]
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.url}{second}")


async def test_enter_goes_to_what_the_palette_found_first(site: Site, new_page: NewPage) -> None:
    page = await with_palette(site, new_page)
    await page.keyboard.insert_text("linac mag")
    await until_true(page, "document.querySelector('dialog .finds').dataset.q === 'linac mag'")
    first = await page.evaluate("document.querySelector('dialog .finds a').pathname")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.url}{first}")


async def test_enter_before_anything_was_found_leads_to_the_page_that_finds_it(
    site: Site, new_page: NewPage
) -> None:
    page = await with_palette(site, new_page)
    await page.route("**/palette?q=*", hold_fragments)
    await page.keyboard.insert_text("linac mag")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.url}/palette?q=linac+mag")


async def hold_fragments(route: Route) -> None:
    """What is asked for while one types never comes; whole pages do."""
    if route.request.is_navigation_request():
        await route.continue_()


@pytest.mark.asyncio(loop_scope="session")
async def test_the_palette_is_a_page_as_well(site: Site) -> None:
    text = await site.text("/palette?q=camera")
    assert 'href="/templates/Camera"' in text
    assert 'href="/templates/PowerSupply"' not in text
    assert 'href="/agents/host-1"' in await site.text("/palette?q=host")
    nothing = await site.text("/palette?q=%22)<b>")
    assert "Nothing is called so" in nothing
    assert "No answer about" not in nothing
    assert "<b>" not in nothing


async def test_a_command_is_copied_also_from_a_page_that_is_given_no_clipboard(
    site: Site, new_page: NewPage
) -> None:
    page = await new_page()
    # As one that comes over plain http from another machine.
    await page.add_init_script('Object.defineProperty(navigator, "clipboard", {value: undefined})')
    await page.goto(f"{site.url}/control_units/BTF/MAG/PS0002")
    assert await page.evaluate("navigator.clipboard === undefined")
    await page.locator("#commands summary").click()
    button = page.locator("#commands [data-copy]").last
    await button.click()
    await expect(button).to_have_attribute("data-copied", "")
    command = await page.locator("#commands pre").last.inner_text()
    # It has several lines.
    await page.goto(f"{site.url}/import")
    pasted = page.locator("textarea[name=text]")
    await pasted.press("Control+v")
    await expect(pasted).to_have_value(command)
