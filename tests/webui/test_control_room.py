"""A shift at the page: what operators do with it, in a browser, beside units that run."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.webui.browsers import NewPage, until_true
from tests.webui.control_room import DAFNE, QUADRUPOLES, ControlRoom

UNIT = f"/control_units/{QUADRUPOLES[0]}"
LIST = "/control_units?q=zone%3DLINAC/MAG/QUAD"
CURRENT = '[name="overrides[current].default_value"]'
MAIN = "form.editing button.main"


async def tick(page: Page, room: ControlRoom, *ids: str) -> None:
    """Ticks rows of the list, all between the first and the last."""
    await page.goto(f"{room.url}{LIST}")
    await until_true(page, "document.body.dataset.link === 'live'")
    box = '#rows tr[data-name="control_units/{}"] [data-tick]'
    await page.click(box.format(ids[0]))
    await page.click(box.format(ids[-1]), modifiers=["Shift"])
    await expect(page.locator("[data-tick-count]")).to_have_text(f"{len(ids)} selected")


async def current_of(room: ControlRoom, id: str) -> str:
    unit = await room.client.control_units.get(id)
    (own,) = [each for each in unit.overrides if each.attribute == "current"]
    return own.default_value


async def test_a_value_is_changed_by_keys_used_by_its_unit_and_taken_back_by_one(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await page.goto(f"{control_room.url}{UNIT}")
    await page.keyboard.press("e")
    await page.locator(CURRENT).fill("44.5")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-saved]")
    assert await current_of(control_room, QUADRUPOLES[0]) == "44.5"
    # What it is to use and what it uses are told apart until the unit has taken it.
    await expect(page.locator(".facts")).to_contain_text("applied as declared")
    await page.keyboard.press("u")
    await expect(page.locator("[data-saved]")).to_contain_text("Taken back")
    assert await current_of(control_room, QUADRUPOLES[0]) == "41.20"


async def test_ticked_units_are_stopped_as_planned_and_the_plan_fills_up(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await tick(page, control_room, *QUADRUPOLES[2:5])
    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect(page.locator("h1")).to_contain_text("3 control units")
    assert await page.locator(".waves").get_by_text("QUALI03").count() == 1
    await page.get_by_label("Reason").fill("looked at")
    await page.click(MAIN)
    await page.wait_for_url("**/operations/*")
    # Nobody loads this page again.
    await expect(page.locator(".facts")).to_contain_text("Completed")
    await expect(page.locator("[id^='step:'] td:last-child time")).to_have_count(3)
    await page.goto(f"{control_room.url}/control_units/{QUADRUPOLES[3]}")
    await expect(page.locator(".facts")).to_contain_text("Stopped")


async def test_many_datasets_are_changed_together_after_a_look_at_each_difference(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await tick(page, control_room, *QUADRUPOLES[1:3])
    await page.get_by_role("button", name="Edit together").click()
    group = page.locator("fieldset.bulk").filter(has=page.locator("legend", has_text="current"))
    await group.locator("select").first.select_option("set")
    await group.locator("input[name^='to:']").first.fill("50.25")
    await page.click(MAIN)
    await expect(page.locator("h1")).to_contain_text("2 control units would change")
    assert await page.get_by_text("43.85").count() == 1
    await page.click(MAIN)
    await page.wait_for_selector("[data-saved]")
    assert [await current_of(control_room, id) for id in QUADRUPOLES[1:3]] == ["50.25", "50.25"]


async def test_a_unit_is_compared_with_what_it_was_and_set_back(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    id = QUADRUPOLES[5]
    before = await control_room.client.control_units.get(id)
    changed = type(before)(name=before.name, etag="*", description="another one")
    await control_room.client.control_units.update(changed, "description", reason="a test")

    page = await new_page()
    await page.goto(f"{control_room.url}/control_units/{id}/history")
    await page.get_by_role("button", name="Compare From and To").click()
    await expect(page.locator("main table")).to_contain_text("another one")
    await page.get_by_role("link", name="Back to From…").click()
    await page.click(MAIN)
    await page.wait_for_selector("[data-saved]")
    again = await control_room.client.control_units.get(id)
    assert again.description == before.description


async def test_a_moment_of_the_past_frames_all_pages_until_it_is_left(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await page.goto(f"{control_room.url}{UNIT}")
    await page.get_by_text("As of", exact=True).click()
    now = "document.getElementById('as-of-time').value = new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 19)"
    await page.evaluate(now)
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.locator(".past")).to_contain_text("Nothing can be changed here")
    edge = "parseFloat(getComputedStyle(document.body, '::after').borderTopWidth)"
    assert await page.evaluate(edge) > 4
    assert await page.locator("[data-edit], .actions button").count() == 0
    await page.get_by_role("navigation", name="Pages").get_by_role("link", name="Agents").click()
    await expect(page.locator(".past")).to_be_visible()
    await page.get_by_role("link", name="Back to now").click()
    await page.wait_for_url(f"{control_room.url}/agents")
    await expect(page.locator(".past")).to_have_count(0)


async def test_a_list_is_taken_along_by_its_address_and_as_a_file(
    control_room: ControlRoom, new_page: NewPage, tmp_path: Path
) -> None:
    page = await new_page()
    await page.goto(f"{control_room.url}{LIST}&sort=-id")
    await page.locator("#choose-columns summary").click()
    panel = page.locator("#choose-columns .panel")
    await panel.get_by_label("Template", exact=True).uncheck()
    await panel.get_by_role("button").click()
    await expect(page.locator("#list thead")).not_to_contain_text("Template")
    shown = await page.locator("#list table").inner_text()
    other = await new_page()
    await other.goto(page.url)
    rows = await other.locator("#rows tr").evaluate_all("rows => rows.map((r) => r.dataset.name)")
    assert rows == [f"control_units/{id}" for id in reversed(QUADRUPOLES)]
    assert await other.locator("#list thead").inner_text() in shown
    await other.locator("#choose-format summary").click()
    async with other.expect_download() as download:
        await other.locator("#choose-format").get_by_role("link", name="CSV", exact=True).click()
    await (await download.value).save_as(tmp_path / "list.csv")
    lines = (tmp_path / "list.csv").read_text().splitlines()
    assert len(lines) == 1 + len(QUADRUPOLES)
    assert "template" not in lines[0].lower()


async def test_what_a_unit_is_called_and_how_to_ask_for_it_can_be_copied(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(f"{control_room.url}{UNIT}")
    await page.locator("#commands summary").click()
    copied = []
    for number, button in enumerate(await page.locator("#commands [data-copy]").all()):
        await button.click()
        copied.append(await page.evaluate("navigator.clipboard.readText()"))
        assert copied[number] == await page.locator("#commands pre").nth(number).inner_text()
    assert copied[0] == QUADRUPOLES[0]
    assert {text.split()[0] for text in copied[1:]} == {"mds", "curl"}


async def test_the_page_is_read_and_a_value_changed_without_scripts(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page(javascript=False)
    await page.goto(f"{control_room.url}/")
    assert "control units are" in await page.locator("#headline h1").inner_text()
    await page.locator("nav a[href='/control_units']").click()
    await page.locator("#q").fill(f"id={QUADRUPOLES[0]}")
    await page.get_by_role("button", name="Filter").click()
    await page.locator("#rows a").first.click()
    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.locator(CURRENT).fill("60")
    await page.click(MAIN)
    assert await current_of(control_room, QUADRUPOLES[0]) == "60"
    await page.get_by_role("button", name="Undo").click()
    assert "Taken back" in await page.locator("[data-saved]").inner_text()
    assert await current_of(control_room, QUADRUPOLES[0]) == "41.20"


@pytest.mark.skipif(not DAFNE.exists(), reason="no export of DAFNE beside this project")
async def test_a_real_accelerator_is_shown_and_edited(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await page.goto(f"{control_room.url}/control_units?q=zone%3DDAFNE&columns=id")
    shown = await page.locator("#rows a.id").all_inner_texts()
    assert len(shown) > 50
    assert all(id.startswith("DAFNE/") for id in shown)
    await page.locator("#rows a").first.click()
    await page.wait_for_url("**/control_units/DAFNE/**")
    await page.keyboard.press("e")
    await page.locator("[name=description]").fill("seen in a browser")
    await page.click(MAIN)
    await page.wait_for_selector("[data-saved]")
    await expect(page.locator("main")).to_contain_text("seen in a browser")
