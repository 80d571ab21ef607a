"""A new unit in a browser: names are suggested, a reload loses nothing, and a key takes it back."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from control_units.client import Client, NotFound
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage, until_true
from tests.webui.conftest import running_site
from tests.webui.magnets import ID, declare_magnets

StartReplica = Callable[..., Awaitable[Replica]]
NEW = "RING/MAG/Q9"


async def test_a_unit_is_declared_by_hand_and_taken_back_by_a_key(
    start_replica: StartReplica, sqlite_database: str, new_page: NewPage
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client, running_site(replica.address) as site:
        await declare_magnets(client)
        page = await new_page()
        await page.goto(f"{site.url}/control_units/new?template=Magnet")
        await page.fill('[name="id"]', NEW)
        adding = page.get_by_label("Add to: Requires")
        await adding.press_sequentially("q1")
        await expect(page.locator(f'#add-f-requires option[value="{ID}"]')).to_have_count(1)
        await adding.fill(ID)
        await adding.press("Enter")
        requires = page.locator('[name="requires"]')
        await expect(requires).to_have_value(ID)

        await page.reload()
        await expect(page.locator("#draft-note")).to_be_visible()
        await expect(requires).to_have_value(ID)
        await page.locator('[name="id"]').press("Enter")
        await page.wait_for_selector("[data-saved]")
        assert (await client.control_units.get(NEW)).requires == [f"control_units/{ID}"]
        drafts = "Object.keys(sessionStorage).filter((key) => key.startsWith('draft'))"
        await until_true(page, f"{drafts}.length === 0")

        await page.keyboard.press("u")
        await expect(page.get_by_role("button", name="Redo")).to_be_visible()
        with pytest.raises(NotFound):
            await client.control_units.get(NEW)
