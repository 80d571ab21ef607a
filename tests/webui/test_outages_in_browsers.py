"""What people who look and type notice when a replica is killed, or their browser has slept."""

import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.browsers import NewPage, until_true
from tests.webui.control_room import QUADRUPOLES, ControlRoom, describe, running_control_room
from tests.webui.sleeping import asleep

PAGE = "/control_units/{}"
CURRENT = '[name="overrides[current].default_value"]'
SAVE = "form.editing button.main"
# What the console says of answers and connections that are none.
CUT = "503|412|ERR_"
# Who hears nothing is told so within one heartbeat of a unit server, 5 s (`test_silence` has the
# sum); this is that and what a busy machine takes to look, in ms.
TOLD_MS = 10_000


@pytest_asyncio.fixture(loop_scope="session")
async def room(mariadb_database: str, tmp_path: Path) -> AsyncIterator[ControlRoom]:
    """One for each test: what a test starts again would be a process that it leaves behind."""
    async with running_control_room(mariadb_database, tmp_path, with_dafne=False) as running:
        yield running


def asked_by_the_page(room: ControlRoom) -> Replica:
    """The replica that the page follows at this moment."""
    line = next(line for line in reversed(room.web.output().splitlines()) if "following" in line)
    return next(each for each in room.replicas if each.address in line)


async def live_page(room: ControlRoom, new_page: NewPage, id: str) -> Page:
    page = await new_page(expected=CUT)
    await page.goto(f"{room.url}{PAGE.format(id)}")
    await until_true(page, "document.body.dataset.link === 'live'")
    await page.evaluate("window.mine = 'not loaded again'")
    return page


async def test_the_other_replica_takes_over_and_what_was_typed_outlives_both(
    room: ControlRoom, new_page: NewPage
) -> None:
    watched, edited = QUADRUPOLES[:2]
    looks = await live_page(room, new_page, watched)
    lists = await new_page(expected=CUT)
    await lists.goto(f"{room.url}/control_units")
    old = (looks.locator(".page"), lists.locator("#list"))
    for each in old:
        await expect(each).to_have_css("filter", "none")
    types = await new_page(expected=CUT)
    await types.goto(f"{room.url}{PAGE.format(edited)}/edit")
    await types.locator(CURRENT).fill("33.5")

    killed = asked_by_the_page(room)
    (other,) = [each for each in room.replicas if each is not killed]
    async with Client(other.address) as client:
        killed.program.signal(signal.SIGKILL)
        await describe(client, watched, "a word after the end")
        await expect(looks.locator("main")).to_contain_text("a word after the end")
        assert await looks.evaluate("window.mine") == "not loaded again"

    # Neither ends what it has open: only that it says nothing can tell.
    other.program.pause()
    told = "No word from the metadata server"
    await expect(looks.locator("#banner")).to_contain_text(told, timeout=TOLD_MS)
    for each in old:
        await expect(each).to_have_css("filter", "grayscale(1)")
    room.web.pause()
    await expect(looks.locator("#cut")).to_be_visible(timeout=TOLD_MS)
    await expect(looks.locator("#cut-time")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    room.web.resume()
    await expect(looks.locator("#cut")).to_be_hidden()
    other.program.signal(signal.SIGKILL)
    await types.click(SAVE)
    await expect(types.get_by_role("alert").first).to_contain_text("Nothing was saved; try again")
    await expect(types.locator(CURRENT)).to_have_value("33.5")

    await other.start()
    await until_true(looks, "document.body.dataset.link === 'live'")
    await types.click(SAVE)
    await types.wait_for_selector("[data-saved]")
    unit = await room.client.control_units.get(edited)
    assert unit.overrides[0].default_value == "33.5"


async def test_a_browser_that_slept_longer_than_its_picture_is_kept_catches_up_by_itself(
    room: ControlRoom, new_page: NewPage
) -> None:
    id = QUADRUPOLES[3]
    page = await live_page(room, new_page, id)
    types = await new_page(expected=CUT)
    await types.goto(f"{room.url}{PAGE.format(id)}/edit")
    await types.locator(CURRENT).fill("37.5")
    with asleep():
        # A page server that begins anew knows nothing of pictures that browsers have.
        assert await room.web.terminate() == 0
        was = len(room.web.output())
        room.web.start()
        await until(lambda: "listening" in room.web.output()[was:], what="the page")
        await describe(room.client, id, "while it slept")
    await expect(page.locator("main")).to_contain_text("while it slept")
    await expect(page.locator("#cut")).to_be_hidden()
    assert await page.evaluate("window.mine") == "not loaded again"
    # What was typed is still there; what somebody else has changed since is shown before it is saved.
    await types.click(SAVE)
    await expect(types.locator(".choices")).to_contain_text("while it slept")
    await types.click(SAVE)
    await types.wait_for_selector("[data-saved]")
    unit = await room.client.control_units.get(id)
    assert (unit.overrides[0].default_value, unit.description) == ("37.5", "while it slept")
