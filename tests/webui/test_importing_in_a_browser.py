"""What only a browser can do: files that are chosen and dropped, and texts that outlive a reload and a
theme."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage
from tests.webui.conftest import Site, running_site
from tests.webui.magnets import ID, declare_magnets

DROP = """
(text) => {
  const files = new DataTransfer();
  files.items.add(new File([text], "magnets.csv", { type: "text/csv" }));
  for (const type of ["dragover", "drop"]) {
    document.querySelector("h1").dispatchEvent(
      new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
  }
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def site(
    start_replica: Callable[..., Awaitable[Replica]], mariadb_database: str
) -> AsyncIterator[Site]:
    replica = await start_replica(mariadb_database)
    async with Client(replica.address) as client:
        await declare_magnets(client)
    async with running_site(replica.address, follow=False) as site:
        yield site


async def test_a_dropped_file_shows_its_plan_and_what_was_typed_outlives_a_reload_and_another_theme(
    site: Site, new_page: NewPage, tmp_path: Path
) -> None:
    page = await new_page(expected="422")
    await page.goto(f"{site.url}/import")
    await page.fill("#text", "id,current\n")
    await page.reload()
    await expect(page.locator("#text")).to_have_value("id,current\n")
    await expect(page.locator("#draft-note")).to_be_visible()

    await page.evaluate(f"({DROP})('x'.repeat(10 * 1024 * 1024))")
    await expect(page.get_by_text("This page takes at most 8 MB")).to_be_visible()
    await expect(page.locator("#text")).to_have_value("id,current\n")
    await expect(page.locator("#file")).to_have_value("")

    await page.evaluate(DROP, f"id,current\n{ID},12.5\n")
    await expect(page.locator("h1")).to_contain_text("1 to change")
    await expect(page.locator("#text")).to_have_value(f"id,current\n{ID},12.5\n")
    await page.fill("#reason", "dropped")
    await page.get_by_text("Theme", exact=True).click()
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.get_by_role("button", name="Dark")).to_be_hidden()
    await expect(page.locator("h1")).to_contain_text("1 to change")
    await expect(page.locator("#reason")).to_have_value("dropped")
    await page.click("text=Do this")
    await expect(page.locator("h1")).to_contain_text("Change 2")
    await page.goto(f"{site.url}/import")
    await expect(page.locator("#text")).to_have_value("")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    # What is wrong in a file that was chosen is told by its place, and mended in the page.
    unit = {"id": "RING/MAG/Q9", "template": "Magnet"}
    file = tmp_path / "magnet.yaml"
    file.write_text(f"control_units:\n- {json.dumps(unit | {'level': 'high'})}\n")
    await page.set_input_files("#file", file)
    await page.click("[data-look]")
    problem = page.get_by_role("region", name="Problems").locator("tbody tr")
    await expect(problem).to_contain_text("magnet.yaml:2")
    await expect(problem.locator("td")).to_contain_text(["", "high", "a whole number"])
    await expect(page.locator("#text")).to_have_value(file.read_text())
    await page.fill("#text", json.dumps({"control_units": [unit | {"level": 7}]}))
    await page.click("[data-look]")
    await expect(page.locator("h1")).to_contain_text("1 to create, 0 to change, 0 to delete")
    await page.click("text=Do this")
    await page.get_by_role("link", name=unit["id"]).click()
    await expect(page.locator("dt:text-is('Level') + dd")).to_have_text("7")
