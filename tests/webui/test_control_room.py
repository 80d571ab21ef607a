"""A shift at the page: what operators do with it, in a browser, beside units that run."""

import re
from pathlib import Path

import pytest
from mds.v1 import operation_pb2
from playwright.async_api import expect

from control_units.client import NotFound
from tests.webui.browsers import NewPage, rows_of, until_true
from tests.webui.control_room import DAFNE, QUADRUPOLES, ControlRoom, add_attribute, describe

UNIT = f"/control_units/{QUADRUPOLES[0]}"
CURRENT = '[name="overrides[current].default_value"]'
MAIN = "form.editing button.main"


async def test_a_value_is_changed_by_keys_used_by_its_unit_and_taken_back_by_one(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await page.goto(f"{control_room.url}{UNIT}")
    await page.keyboard.press("e")
    await page.locator(CURRENT).fill("44.5")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-saved]")
    assert await control_room.current_of(QUADRUPOLES[0]) == "44.5"
    await page.keyboard.press("u")
    await expect(page.locator("[data-saved]")).to_contain_text("Taken back")
    assert await control_room.current_of(QUADRUPOLES[0]) == "41.20"
    # What it is to use and what it uses are told apart until the unit has taken it.
    await expect(page.locator(".facts")).to_contain_text("applied as declared")
    await page.locator("#driver-1 summary").click()
    await expect(page.locator("#driver-1 pre")).to_contain_text('"slave": 2')
    # Each value says where it comes from; one of the unit's own is given back to its template.
    row = page.locator("[id='slot:overrides[current].default_value']")
    origin = row.locator("a[href^='/templates/']")
    await expect(origin).to_have_count(0)
    await row.get_by_role("button", name="Reset current", exact=True).click()
    await expect(origin).to_have_count(1)
    await expect(row.locator("td.value strong")).to_have_text("0.0")
    assert await control_room.current_of(QUADRUPOLES[0]) == ""
    await page.get_by_role("button", name="Undo", exact=True).click()
    await expect(origin).to_have_count(0)
    assert await control_room.current_of(QUADRUPOLES[0]) == "41.20"


async def test_ticked_units_are_stopped_as_planned_and_the_plan_fills_up(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page, (needs, needed) = await new_page(expected="422"), QUADRUPOLES[1:3]
    await control_room.require(needs, needed)
    await control_room.tick(page, *QUADRUPOLES[2:5])
    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect(page.locator("h1")).to_contain_text("2 control units")
    await expect(page.locator("main li", has_text=f"{needs} requires {needed}")).to_have_count(1)
    await page.get_by_role("link", name="Plan it even so").click()
    await expect(page.locator("h1")).to_contain_text("3 control units")
    await expect(page.locator(".plan-hit h2")).to_contain_text("Blast radius: 1 running")
    await expect(page.locator(".plan-hit li")).to_have_text(f"{needs} requires {needed}")
    assert await page.locator(".waves").get_by_text("QUALI03").count() == 1
    await page.get_by_label("Reason").fill("looked at")
    for typed in ("2", "3"):
        await page.get_by_label("Type 3, the number of units, to confirm").fill(typed)
        await page.click(MAIN)
        await expect(page.get_by_role("alert").filter(visible=True)).to_have_count(3 - int(typed))
    # Nobody loads this page again.
    await expect(page.locator(".facts")).to_contain_text("Completed")
    await expect(page.locator("[id^='step:'] td:last-child time")).to_have_count(3)
    operation = page.url.removeprefix(control_room.url)
    await page.goto(f"{control_room.url}/control_units/{QUADRUPOLES[3]}")
    await expect(page.locator(".facts")).to_contain_text("Stopped")
    await page.get_by_role("link", name="History", exact=True).click()
    # On one axis: what it was in, what it was ordered, and what was declared of it.
    states = page.locator(".history tr.state")
    await expect(states.first).to_contain_text("Stopped")
    await expect(states.filter(has_text="Running")).not_to_have_count(0)
    await expect(page.locator(f".history tr.operation a[href='{operation}']")).to_have_count(1)
    await expect(page.locator(".history tr.change")).not_to_have_count(0)


async def test_many_datasets_are_changed_together_after_a_look_at_each_difference(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await control_room.tick(page, *QUADRUPOLES[1:3])
    await page.get_by_role("button", name="Edit together").click()
    group = page.locator("fieldset.bulk").filter(has=page.locator("legend", has_text="current"))
    await group.locator("select").first.select_option("set")
    await group.locator("input[name^='to:']").first.fill("50.25")
    await group.locator("summary").click()
    await group.get_by_label("What to do with current, maximum").select_option("clear")
    await page.click(MAIN)
    await expect(page.locator("h1")).to_contain_text("2 control units would change")
    assert await page.get_by_text("43.85").count() == 1
    await page.click(MAIN)
    await page.wait_for_selector("[data-saved]")
    for id in QUADRUPOLES[1:3]:
        own = await control_room.own_current(id)
        assert (own.default_value, own.maximum) == ("50.25", "")


async def test_a_unit_is_compared_with_what_it_was_and_set_back(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    id = QUADRUPOLES[5]
    before = await control_room.client.control_units.get(id)
    await describe(control_room.client, id, "another one")
    page = await new_page()
    await page.goto(f"{control_room.url}/control_units/{id}/history")
    await page.get_by_role("button", name="Compare From and To").click()
    await expect(page.locator("main table")).to_contain_text("another one")
    await page.get_by_role("link", name="Back to From…").click()
    await page.click(MAIN)
    await page.wait_for_selector("[data-saved]")
    assert (await control_room.client.control_units.get(id)).description == before.description


async def test_a_moment_of_the_past_frames_all_pages_until_it_is_left(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await page.goto(f"{control_room.url}{UNIT}")
    await page.get_by_text("As of", exact=True).click()
    await page.evaluate(
        "document.getElementById('as-of-time').value = new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 19)"
    )
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
    assert {"agents/LINAC-HALL", "agents/RING-HALL"} <= set(await rows_of(page))
    await page.locator("#q").press_sequentially("host=ring-hall.example")
    await expect(page.locator("#rows tr")).to_have_count(1)
    assert await rows_of(page) == ["agents/RING-HALL"]


async def test_a_list_is_taken_along_by_its_address_and_as_a_file(
    control_room: ControlRoom, new_page: NewPage, tmp_path: Path
) -> None:
    page = await new_page()
    await page.goto(f"{control_room.url}/control_units?q=zone=LINAC/MAG/QUAD&sort=-id")
    await page.locator("#choose-columns summary").click()
    panel = page.locator("#choose-columns .panel")
    await panel.get_by_label("Template", exact=True).uncheck()
    await panel.get_by_role("button").click()
    await expect(page.locator("#list thead")).not_to_contain_text("Template")
    shown = await page.locator("#list table").inner_text()
    other = await new_page()
    await other.goto(page.url)
    assert await rows_of(other) == [f"control_units/{id}" for id in reversed(QUADRUPOLES)]
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
    assert await control_room.current_of(QUADRUPOLES[0]) == "60"
    await page.get_by_role("button", name="Undo").click()
    assert "Taken back" in await page.locator("[data-saved]").inner_text()
    assert await control_room.current_of(QUADRUPOLES[0]) == "41.20"


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


async def test_the_overview_and_the_topology_tell_what_happens_without_being_loaded_again(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page(size=(390, 844), dark=True)
    await page.goto(control_room.url)
    await until_true(page, "document.body.dataset.link === 'live'")
    await expect(page.locator("#attention")).to_contain_text("no process has registered")
    await describe(control_room.client, QUADRUPOLES[4], "seen on a telephone")
    await expect(page.locator("#changes > :first-child")).to_contain_text(QUADRUPOLES[4])
    too_wide = "document.documentElement.scrollWidth > innerWidth"
    assert not await page.evaluate(too_wide)
    await expect(page.locator("#replicas li", has_text="answers here")).to_have_count(1)
    await expect(page.locator("#replicas li")).to_have_count(2)
    await expect(page.locator("#nodes li")).to_contain_text("writer · MariaDB")
    await page.get_by_role("link", name="Templates", exact=True).last.click()
    group = page.locator("#groups li", has_text="example::cooling::Chiller")
    await expect(group).to_contain_text("1 of 1 without a process")
    await page.goto(f"{control_room.url}/topology")
    await page.locator("svg.topology a[href='/unit_servers/LINAC/MAGNETS']").click()
    await page.wait_for_url("**/unit_servers/LINAC/MAGNETS")
    assert not await page.evaluate(too_wide)


async def test_a_template_is_narrowed_as_a_draft_published_and_given_to_units_that_are_ticked(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await page.goto(f"{control_room.url}/templates?sort=-id")
    await page.locator("#q").press_sequentially("id:example::diagnostics::*")
    await expect(page.locator("#rows tr")).to_have_count(2)
    names = [f"templates/example::diagnostics::{each}" for each in ("GigECamera", "ButtonBPM")]
    assert await rows_of(page) == names
    await page.locator("#rows a.id").last.click()
    await page.get_by_role("link", name="Edit as a draft").click()
    await page.locator("summary", has_text="samples").click()
    await page.locator('[name="attributes[samples].maximum"]').fill("32768")
    await add_attribute(page, "gain", "dB", "3")
    await page.click(MAIN)
    await expect(page.locator(".facts")).to_contain_text("2, draft")
    await expect(page.get_by_role("row", name="gain 3 dB")).to_have_count(1)
    await page.get_by_role("button", name="Publish the draft").click()
    await expect(page.locator(".facts")).to_contain_text("2, published")
    await page.get_by_role("row", name="2 published").get_by_role("link", name="Move").click()
    ticks = page.locator("table.rebase [name=unit]")
    await expect(ticks.nth(1)).to_be_checked()
    stays, moves = [await ticks.nth(number).input_value() for number in (0, 1)]
    await ticks.first.uncheck()
    await expect(page.locator("table.rebase")).to_contain_text("65536 → 32768")
    await page.get_by_role("button", name="Move them").click()
    await page.wait_for_selector("[data-saved]")
    get = control_room.client.control_units.get
    assert [(await get(each)).template_version for each in (stays, moves)] == [1, 2]


async def test_an_operation_is_paused_resumed_aborted_and_what_failed_is_tried_again(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    # Nobody runs them: an order waits for each, as long as it may.
    waits, ends = operation_pb2.Operation(), operation_pb2.Operation()
    ends.step_timeout.FromMilliseconds(200)
    waiting, ended = [
        await control_room.client.operations.order(
            operation_pb2.ORDER_VERB_START, [id], reason="a test", settings=settings
        )
        for id, settings in (("RING/MAG/DIP/DIPRG01", waits), ("RING/MAG/QUAD/QUDRG01", ends))
    ]
    page = await new_page()
    phase = page.locator(".facts dd").first
    await page.goto(f"{control_room.url}/{waiting.operation.name}")
    await expect(phase.locator("small")).to_have_text(re.compile(r"\w"))
    await expect(page.locator("[id^='step:'] td.why")).to_contain_text("no unit server hosts it")
    await expect(page.locator(".facts")).to_contain_text("last sign of life")
    for button, words in (("Pause", "Suspended"), ("Resume", "Executing"), ("Abort", "abort")):
        await page.get_by_role("button", name=button, exact=True).click()
        await expect(phase).to_contain_text(re.compile(words, re.IGNORECASE))
    await page.goto(f"{control_room.url}/{ended.operation.name}")
    tries = page.locator("[id^='step:'] td.number")
    await expect(tries).to_have_text("")
    await page.get_by_role("button", name="Retry what failed").click()
    await expect(tries).to_have_text("2")
    # The table of all tells how many there are of each kind, and a click narrows it to these.
    await page.goto(f"{control_room.url}/operations?columns=id,message,author,alive")
    await page.locator("#statistics").get_by_role("link", name="Start", exact=True).click()
    await page.wait_for_url("**/operations?q=verb%3DSTART*")
    await expect(page.locator("#rows tr")).to_have_count(2)
    await expect(page.locator("#rows")).to_contain_text("RING/MAG/QUAD/QUDRG01")
    for row in await page.locator("#rows tr").all():
        await expect(row.locator("td").nth(3)).to_have_text(re.compile(r"\w"))
        await expect(row.locator("td").nth(4).locator("time")).to_have_count(1)


async def test_a_snapshot_is_taken_compared_with_what_is_intended_and_restored_in_part(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    ids = ("LINAC/MAG/COR/CORLI02H", "LINAC/MAG/COR/CORLI02V")
    page = await new_page()
    await page.goto(f"{control_room.url}/snapshots/new?id={ids[0]}&id={ids[1]}")
    await page.fill("[name=name]", "before")
    await page.get_by_role("button", name="Take it").click()
    await page.wait_for_selector("[data-shows='snapshots/before']")
    for id in ids:
        await control_room.set_current(id, "1")
    await page.locator("#with").fill("configured")
    await page.get_by_role("button", name="Compare", exact=True).click()
    await expect(page.locator("#sums")).to_contain_text("2 different")
    await page.get_by_role("checkbox", name=f"Select {ids[0]} current").check()
    await page.get_by_role("button", name="Restore those that are ticked").click()
    await expect(page.locator("h1")).to_contain_text("Restore 1 value")
    await page.click(MAIN)
    await page.wait_for_url("**/operations/*")
    await expect(page.locator(".facts")).to_contain_text("Completed")
    assert [float(await control_room.current_of(id)) for id in ids] == [-0.402, 1]
    await page.goto(f"{control_room.url}/snapshots?sort=-id")
    assert await rows_of(page) == ["snapshots/nominal-ring-optics", "snapshots/before"]
    await page.locator("#q").press_sequentially("id=before")
    await expect(page.locator("#rows tr")).to_have_count(1)
    assert await rows_of(page) == ["snapshots/before"]


async def test_a_value_that_is_refused_is_mended_where_it_was_typed(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page(expected="422")
    await page.goto(f"{control_room.url}{UNIT}/edit")
    await page.locator(CURRENT).fill("95")
    await page.fill("#reason", "warmer")
    await page.keyboard.press("Enter")
    await expect(page.locator(CURRENT)).to_have_attribute("aria-invalid", "true")
    await expect(page.locator(CURRENT)).to_have_value("95")
    await expect(page.locator("#reason")).to_have_value("warmer")
    await page.locator(CURRENT).fill("41.20")
    await page.locator("[name=description]").fill("mended")
    await page.click(MAIN)
    await page.wait_for_selector("[data-saved]")
    unit = await control_room.client.control_units.get(QUADRUPOLES[0])
    assert (unit.description, await control_room.current_of(QUADRUPOLES[0])) == ("mended", "41.20")


async def test_a_token_is_made_shown_once_and_revoked(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page = await new_page()
    await page.goto(control_room.url)
    # Where nobody is asked who they are, everybody may do everything, and is told so.
    account = page.locator(".account summary")
    await expect(account).to_have_text("No log-in")
    await account.click()
    await page.locator(".account").get_by_role("link", name="Tokens").click()
    await page.get_by_label("Whose it is").fill("nina")
    await page.get_by_label("Role").select_option("operator")
    await page.get_by_role("button", name="Make the token").click()
    text = await page.locator("#new-token").inner_text()
    assert re.fullmatch(r"mds_[a-z0-9]{12}_[0-9a-f]{64}", text)
    await page.get_by_role("link", name="To the tokens").click()
    row = page.get_by_role("row").filter(has_text="nina")
    await expect(row).to_contain_text("operator")
    assert text not in await page.content()
    await row.get_by_role("link", name="Revoke").click()
    await page.click(MAIN)
    await expect(page.get_by_role("status")).to_contain_text("is revoked")
    await expect(row).to_have_count(0)


async def test_units_deleted_from_their_list_are_brought_back_by_one_key(
    control_room: ControlRoom, new_page: NewPage
) -> None:
    page, ids = await new_page(), ("GUN/DIA/CAM/CATHODE", "GUN/DIA/CAM/SCRGN01")
    get = control_room.client.control_units.get
    before = [(await get(id)).overrides for id in ids]
    await control_room.tick(page, *ids, among="zone=GUN")
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.locator("h1")).to_contain_text("2 control units would be deleted")
    await page.click(MAIN)
    await page.wait_for_selector("[data-saved]")
    with pytest.raises(NotFound):
        await get(ids[1])
    await page.keyboard.press("u")
    await expect(page.locator("[data-saved]")).to_contain_text("Taken back")
    assert [(await get(id)).overrides for id in ids] == before
