"""A new unit in a browser: names are suggested, a reload loses nothing, and a key takes it back."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from control_units.client import Client, NotFound
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage, until_true
from tests.webui.conftest import running_site
from tests.webui.magnets import ID, declare_magnets
from webui.datasets import deleting

StartReplica = Callable[..., Awaitable[Replica]]
NEW = "RING/MAG/Q9"


async def test_a_unit_is_declared_by_hand_and_taken_back_by_a_key(
    start_replica: StartReplica, mariadb_database: str, new_page: NewPage
) -> None:
    replica = await start_replica(mariadb_database)
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


async def test_pieces_of_a_deletion_follow_one_another_until_somebody_stops_it(
    start_replica: StartReplica,
    mariadb_database: str,
    new_page: NewPage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deleting, "MOST", 4)
    replica = await start_replica(mariadb_database)
    async with Client(replica.address) as client, running_site(replica.address) as site:
        await declare_magnets(client, *(f"RING/COR/C{number:02}" for number in range(40)))
        page = await new_page()

        async def confirm(count: str) -> None:
            await page.goto(f"{site.url}/datasets/delete?filter=zone%3DRING/COR")
            await page.fill("#typed_count", count)
            await page.click("main button.main")

        async def left() -> int:
            return len([unit async for unit in client.control_units.list(id_prefix="RING/COR/")])

        await confirm("40")
        await expect(page.locator("h1")).to_contain_text("8 of 40")  # nobody has pressed anything
        await page.get_by_role("link", name="Stop here").click()
        await page.wait_for_url("**/control_units?q=*")
        stopped = await left()
        assert 0 < stopped < 40
        # Longer than it would wait for the next piece.
        longest = await page.evaluate("performance.now() + 2500")
        await until_true(page, f"performance.now() > {longest}")
        assert await left() == stopped

        monkeypatch.setattr(deleting, "MOST", 20)
        await confirm(str(stopped))
        await expect(page.locator("h1")).to_contain_text(f"{stopped} of {stopped}", timeout=60_000)
        assert await left() == 0
