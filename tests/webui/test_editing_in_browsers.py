"""Two people edit the same unit, each in a browser; what they type is kept through a reload."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio
from mds.v1.control_unit_pb2 import ControlUnit
from playwright.async_api import Locator, Page, expect

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage, until_true
from tests.webui.conftest import running_site
from tests.webui.magnets import ID, PAGE, declare_magnets

StartReplica = Callable[..., Awaitable[Replica]]
CURRENT = "overrides[current].default_value"
LEAST = "overrides[current].minimum"
RAMP = "parameters[ramp]"
DRAFTS = "Object.keys(sessionStorage).filter((key) => key.startsWith('draft '))"


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


async def in_conflict(place: Place) -> Page:
    """The page of who typed 30, and 22 as the least, where another one had 20, and 25 as the most."""
    page = await place.editor(expected="412|422")
    await field(page, CURRENT).fill("30")
    await page.locator("details", has=field(page, LEAST)).locator("summary").click()
    await field(page, LEAST).fill("22")
    theirs = ControlUnit(name=f"control_units/{ID}", etag="*")
    theirs.overrides.add(attribute="current", default_value="20", maximum="25")
    await place.client.control_units.update(theirs, "overrides", reason="a test")
    await save(page)
    await page.wait_for_selector(".choices")
    return page


async def test_what_was_chosen_of_theirs_stays_so_through_a_refusal(place: Place) -> None:
    page = await in_conflict(place)
    await page.locator(f'[name="{CURRENT}"][value="20"]').click()
    await save(page)
    await page.wait_for_selector(".problems ul")
    await expect(field(page, CURRENT)).to_have_value("20")
    await expect(field(page, LEAST)).to_have_value("22")
    await edit(place, page, ID)
    await expect(field(page, CURRENT)).to_have_value("20")
    await expect(field(page, LEAST)).to_have_value("22")
    # What was chosen stands upon what is there now: there is nothing to choose any more.
    await field(page, LEAST).fill("5")
    await save(page)
    await page.wait_for_selector("[data-saved]")
    (own,) = (await place.client.control_units.get(ID)).overrides
    assert (own.default_value, own.minimum, own.maximum) == ("20", "5", "25")


async def test_who_leaves_a_conflict_finds_what_is_there(place: Place) -> None:
    page = await in_conflict(place)
    await page.get_by_role("link", name="Leave it as it is now").click()
    await page.wait_for_selector(f'a[href="{PAGE}/edit"]')
    await edit(place, page, ID)
    await expect(field(page, CURRENT)).to_have_value("20")
    await expect(page.locator("#draft-note")).to_be_hidden()


async def test_a_reload_loses_nothing_that_was_typed_until_it_is_saved(place: Place) -> None:
    page = await place.editor()
    await field(page, CURRENT).fill("25")
    await page.reload()
    await expect(field(page, CURRENT)).to_have_value("25")
    await expect(page.locator("main")).to_contain_text("What you typed before is here again")
    await save(page)
    await page.wait_for_selector("[data-saved]")
    await until_true(page, f"{DRAFTS}.length === 0")
    await page.locator("[data-saved] button").click()
    await expect(page.locator("main")).to_contain_text("Taken back")
    assert not (await place.client.control_units.get(ID)).overrides


async def edit(place: Place, page: Page, id: str) -> None:
    await page.goto(f"{place.url}/control_units/{id}/edit")


async def test_what_was_typed_comes_back_where_somebody_else_has_saved_meanwhile(
    place: Place,
) -> None:
    page = await place.editor(expected="412")
    await field(page, CURRENT).fill("25")
    other = ControlUnit(name=f"control_units/{ID}", etag="*", description="a newer one")
    other.overrides.add(attribute="current").default_value = "20"
    await place.client.control_units.update(other, "description", "overrides", reason="a test")
    await page.reload()
    await expect(field(page, CURRENT)).to_have_value("25")
    await expect(page.locator("#draft-note")).to_be_visible()
    # Nothing of theirs is overwritten unseen.
    await save(page)
    await page.wait_for_selector(".choices")
    assert await page.locator(f'.choices [name="{CURRENT}"][value="20"]').count() == 1
    await page.locator(f'[name="{CURRENT}"][value="25"]').click()
    await save(page)
    await page.wait_for_selector("[data-saved]")
    unit = await place.client.control_units.get(ID)
    assert (unit.overrides[0].default_value, unit.description) == ("25", "a newer one")
    await page.goto(f"{place.url}{PAGE}/edit")
    await expect(page.locator("#draft-note")).to_be_hidden()


async def test_what_is_discarded_leaves_nothing_behind(place: Place) -> None:
    page = await place.editor()
    await field(page, CURRENT).fill("25")
    other = ControlUnit(name=f"control_units/{ID}", etag="*", description="a newer one")
    await place.client.control_units.update(other, "description", reason="a test")
    await page.reload()
    await page.locator("#draft-note button").click()
    await field(page, RAMP).fill("7")
    await save(page)
    await page.wait_for_selector("[data-saved]")
    assert (await place.client.control_units.get(ID)).description == "a newer one"


async def test_a_new_unit_that_is_half_typed_outlives_the_edit_of_another_one(
    place: Place,
) -> None:
    page = await place.new_page()
    await page.goto(f"{place.url}/control_units/new")
    await field(page, "description").fill("half of it")
    await edit(place, page, ID)
    await field(page, CURRENT).fill("20")
    await save(page)
    await page.wait_for_selector("[data-saved]")
    await page.goto(f"{place.url}/control_units/new")
    await expect(field(page, "description")).to_have_value("half of it")


async def test_what_was_typed_before_a_refusal_is_kept_as_well(place: Place) -> None:
    page = await place.editor(expected="422")
    await field(page, CURRENT).fill("none of these numbers")
    await field(page, "description").fill("typed first")
    await save(page)
    await page.wait_for_selector(".problems")
    await field(page, RAMP).fill("7")
    await edit(place, page, ID)
    await expect(field(page, RAMP)).to_have_value("7")
    await expect(field(page, "description")).to_have_value("typed first")
    await expect(field(page, CURRENT)).to_have_value("none of these numbers")


async def test_what_was_not_taken_is_kept_whatever_is_looked_at_until_it_is(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await place.new_page(expected="500")
    rename = f"{PAGE}/rename"
    await page.goto(f"{place.url}{rename}")
    await field(page, "new_id").fill("RING/MAG/B")
    with monkeypatch.context() as broken:
        broken.delattr("webui.datasets.renaming.RenameControlUnitRequest")
        await save(page)
        await page.wait_for_selector("[data-sends-again]")
        # It leads on to another address, as what was saved does.
        await page.goto(f"{place.url}/as_of?back={rename}")
        await expect(field(page, "new_id")).to_have_value("RING/MAG/B")
        await save(page)
        await page.wait_for_selector("[data-sends-again]")
    await save(page)
    await page.wait_for_selector("[data-saved]")
    await until_true(page, f"{DRAFTS}.length === 0")


async def test_what_is_saved_by_loading_the_answer_again_leaves_no_draft(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await place.new_page(expected="500")
    await page.goto(f"{place.url}{PAGE}/rename")
    await field(page, "new_id").fill("RING/MAG/B")
    with monkeypatch.context() as broken:
        broken.delattr("webui.datasets.renaming.RenameControlUnitRequest")
        await save(page)
        await page.wait_for_selector("[data-sends-again]")
    await page.reload()
    await page.wait_for_selector("[data-saved]")
    await until_true(page, f"{DRAFTS}.length === 0")


async def test_what_changes_one_that_is_there_leaves_no_draft_of_a_new_one(place: Place) -> None:
    page = await place.new_page(expected="409|412")
    await page.goto(f"{place.url}/control_units/new?like={ID}")
    await field(page, "id").fill(ID)
    await field(page, "description").fill("typed for a new one")
    await save(page)
    await page.get_by_role("button", name="Compare with what is there").click()
    await page.wait_for_selector(".choices")
    await page.locator('.choices [name="description"][value="typed for a new one"]').check()
    await save(page)
    await page.wait_for_selector("[data-saved]")
    await until_true(page, f"{DRAFTS}.length === 0")


async def test_an_edit_of_many_is_kept_for_just_those_until_it_is_done(place: Place) -> None:
    page = await place.new_page()
    many = f"{place.url}/datasets/edit?filter=level%3D0"
    await page.goto(many)
    await page.select_option('[name="do:description"]', "set")
    await field(page, "to:description").fill("all of them")
    await page.reload()
    await expect(field(page, "to:description")).to_have_value("all of them")
    await expect(field(page, "do:description")).to_have_value("set")
    await page.goto(f"{place.url}/datasets/edit?id={ID}")
    await expect(field(page, "to:description")).to_have_value("")
    await page.goto(many)
    await save(page)
    await page.wait_for_selector("form[action='/datasets/edit/apply']")
    await page.go_back()
    await expect(field(page, "to:description")).to_have_value("all of them")
    await save(page)
    await save(page)
    await page.wait_for_selector("[data-saved]")
    await page.goto(many)
    await expect(field(page, "to:description")).to_have_value("")


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
    # Nobody is told to hurry any more, and whoever finds it later still takes it back: with a look
    # at what that would do, for the key may have been hit by mistake.
    saved = page.url
    await page.keyboard.press("u")
    await page.wait_for_url("**/change_sets/*/undo?back=*")
    await page.goto(saved)
    is_loud = await page.evaluate(f"{told}.getAnimations().length > 0")
    assert not is_loud, "who comes back to it has saved nothing just now"
    await page.keyboard.press("u")
    await page.wait_for_url("**/change_sets/*/undo?back=*")
    assert (await place.client.control_units.get(ID)).overrides
    await save(page)
    await expect(bar).to_contain_text("Taken back")
    assert not (await place.client.control_units.get(ID)).overrides


async def test_why_a_version_is_published_is_kept_until_somebody_cancels_it(place: Place) -> None:
    page = await place.new_page()
    publish = f"{place.url}/templates/Magnet/publish"
    await page.goto(publish)
    await field(page, "reason").fill("colder magnets")
    await page.reload()
    await expect(field(page, "reason")).to_have_value("colder magnets")
    await page.get_by_role("link", name="Cancel").click()
    await page.wait_for_url("**/templates/Magnet")
    await page.goto(publish)
    await expect(field(page, "reason")).to_have_value("")
