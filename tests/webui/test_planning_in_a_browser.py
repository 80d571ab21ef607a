"""Plans that a page waits for, in a real browser and beside a real server."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.webui.browsers import NewPage
from tests.webui.conftest import Site
from tests.webui.looked_at import looked_at

PLAN = "/operations/new?verb=start&filter=zone%3DBTF"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(
    database_of_module: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    async with looked_at(tmp_path_factory.mktemp("planning"), database_of_module) as started:
        yield started


async def test_a_plan_takes_the_place_of_what_announced_it(site: Site, new_page: NewPage) -> None:
    page = await new_page()
    await page.goto(f"{site.url}{PLAN}")
    await expect(page.locator("table.waves")).to_be_visible()
    await expect(page.get_by_text("Nothing is done yet")).to_have_count(0)
    assert page.url == f"{site.url}{PLAN}", "an address that can be given to somebody else"
    await expect(page.locator("main")).to_have_count(1)
    await expect(page.locator("#trouble")).to_have_count(1)
    await expect(page.get_by_label("Reason")).to_be_editable()


async def test_a_plan_that_cannot_be_made_leads_back_to_what_was_asked(
    site: Site, new_page: NewPage
) -> None:
    page = await new_page(expected="422")
    await page.goto(f"{site.url}/operations/new?verb=start&filter=zone%3DNOWHERE")
    await expect(page.get_by_role("alert").filter(visible=True)).to_be_visible()
    await expect(page.locator("input[name=filter]")).to_have_value("zone=NOWHERE")
