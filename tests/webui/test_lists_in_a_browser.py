"""Lists as somebody works with them: typing a filter, ticking rows, while things change."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from mds.v1.control_unit_pb2 import ControlUnit, RenameControlUnitRequest
from mds.v1.maintenance_pb2 import CreateMaintenanceRequest, Maintenance
from mds.v1.operation_pb2 import ORDER_VERB_START
from playwright.async_api import Page, Route, expect

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage, until_true
from tests.webui.conftest import Site, running_site
from tests.webui.facility import declared_replica, unit_id

UNITS = 120
SHOWN = "[...document.querySelectorAll('#rows > tr')].map((row) => row.dataset.name.slice(14))"
SELECTED = "[data-tick-count]"


@dataclass
class Looking:
    """Somebody in front of a list."""

    page: Page
    url: str
    client: Client

    async def open(self, path: str, *, live: bool = False) -> None:
        await self.page.goto(f"{self.url}{path}")
        if live:
            await until_true(self.page, "document.body.dataset.link === 'live'")

    async def declare(self, id: str, description: str) -> None:
        unit = ControlUnit(name=f"control_units/{id}", etag="*", description=description)
        await self.client.control_units.update(unit, "description", reason="a test")


@pytest.fixture(scope="module")
def declared(
    database_of_module: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replica]:
    """A facility that each test leaves with the units that it had."""
    folder = tmp_path_factory.mktemp("lists")
    with declared_replica(folder, UNITS, database=database_of_module) as replica:
        yield replica


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(declared: Replica) -> AsyncIterator[Site]:
    async with running_site(declared.address, follow=True) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def looking(declared: Replica, site: Site, new_page: NewPage) -> AsyncIterator[Looking]:
    async with Client(declared.address) as client:
        yield Looking(await new_page(), site.url, client)


async def test_a_filter_is_applied_while_it_is_typed_and_gone_on_with_by_keys(
    looking: Looking,
) -> None:
    page = looking.page
    await looking.open("/control_units?sort=-id")
    await page.evaluate("document.getElementById('q').focus()")
    await page.keyboard.insert_text("zone=LINAC")
    await until_true(page, f"{SHOWN}.every((id) => id.startsWith('LINAC/'))")
    assert await page.evaluate(f"{SHOWN}.length") == UNITS / 3
    assert await page.evaluate(f"{SHOWN}[0]") == "LINAC/MAG/PS0118"
    assert await page.evaluate("location.search") == "?q=zone%3DLINAC&sort=-id"
    await page.keyboard.insert_text(" stat")
    await until_true(page, "document.getElementById('suggestions').innerText.includes('state=')")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.getElementById('q').value") == "zone=LINAC state="
    await until_true(page, "document.getElementById('suggestions').innerText.includes('RUNNING')")
    await page.keyboard.insert_text("RUNING")
    await until_true(page, "document.querySelector('.place mark')?.innerText === 'RUNING'")
    await page.click("#filter-problem [data-filter]")
    await until_true(page, "document.body.innerText.includes('Nothing matches;')")
    assert await page.evaluate("document.getElementById('q').value") == "zone=LINAC state=RUNNING"
    assert await page.evaluate("document.activeElement.id") == "q"


async def test_rows_change_in_their_place_and_new_ones_wait_until_they_are_asked_for(
    looking: Looking,
) -> None:
    page = looking.page
    await looking.open("/control_units?columns=id,description&size=50", live=True)
    before = await page.evaluate(SHOWN)
    await page.click("#rows > tr:nth-child(2) [data-tick]")
    await page.click("#rows > tr:nth-child(5) [data-tick]", modifiers=["Shift"])
    await expect(page.locator(SELECTED)).to_have_text("4 selected")
    await page.evaluate("document.querySelector('#rows > tr:nth-child(3) a').focus()")

    await looking.declare(before[2], "another one")
    await until_true(page, "document.querySelector('#rows').innerText.includes('another one')")
    assert await page.evaluate("document.activeElement.innerText") == before[2]
    assert await page.evaluate("document.querySelectorAll('[data-tick]:checked').length") == 4

    await looking.client.control_units.create(
        ControlUnit(name="control_units/AAA/NEW", template="templates/Camera"), reason="a test"
    )
    await until_true(page, "document.getElementById('news').innerText === '1 more matches: show'")
    assert await page.evaluate(SHOWN) == before
    await page.click("#news a")
    await until_true(page, f"{SHOWN}[0] === 'AAA/NEW'")
    await expect(page.locator(SELECTED)).to_have_text("4 selected")
    ticked = "[...document.querySelectorAll('[data-tick]:checked')].map((box) => box.value)"
    assert await page.evaluate(ticked) == before[1:5]

    await looking.client.control_units.delete("AAA/NEW", etag="*", reason="a test")
    await until_true(page, "document.querySelector('#rows > tr').classList.contains('gone')")


async def test_a_list_keeps_its_place_and_its_focus_while_rows_above_change(
    looking: Looking,
) -> None:
    page = looking.page
    await looking.open("/control_units?columns=id,description", live=True)
    names = await page.evaluate(SHOWN)
    row = "document.querySelector('#rows > tr:nth-child(60)')"
    await page.evaluate(f"{row}.querySelector('a').focus()")
    await page.evaluate(f"{row}.scrollIntoView({{block: 'center'}})")
    top = await page.evaluate(f"{row}.getBoundingClientRect().top")
    assert await page.evaluate("scrollY") > 0
    await looking.declare(names[57], "it stands above, and grows. " * 40)
    await until_true(page, "document.querySelector('#rows').innerText.includes('it stands above')")
    above = "document.querySelector('#rows > tr:nth-child(58)').clientHeight"
    assert await page.evaluate(above) > 2 * await page.evaluate(f"{row}.clientHeight")
    await looking.declare(names[58], "seen last")
    await until_true(page, "document.querySelector('#rows').innerText.includes('seen last')")
    assert await page.evaluate("document.activeElement.innerText") == names[59]
    moved = await page.evaluate(f"{row}.getBoundingClientRect().top") - top
    assert abs(moved) < 1, "what is looked at stays where it is"


async def test_all_that_match_are_selected_by_their_filter(looking: Looking) -> None:
    page = looking.page
    await looking.open("/control_units?q=zone%3DDAFNE,LINAC&size=50")
    await page.click("[data-tick-all]")
    await expect(page.locator(SELECTED)).to_have_text("50 selected")
    everything = "document.querySelector('[data-tick-everything]').innerText"
    await until_true(page, f"{everything} === 'Select all 80 that match'")
    await page.click("[data-tick-everything]")
    await expect(page.locator(SELECTED)).to_have_text("All that match are selected")
    asked = "Array.from(new FormData(document.getElementById('ticked')))"
    sent = [(name, value) for name, value in await page.evaluate(asked) if name != "q"]
    assert sent == [("filter", "zone=DAFNE,LINAC")], "and no thing by its id"


async def test_hundreds_that_are_ticked_one_by_one_are_planned_for_and_done(
    looking: Looking,
) -> None:
    page = looking.page
    names = [f"control_units/STORE/OF/SPARE_MAGNETS/PS{number:04}" for number in range(300)]
    await looking.client.apply(
        [ControlUnit(name=name, template="templates/PowerSupply") for name in names],
        reason="a test",
    )
    await looking.open("/control_units?q=zone%3DSTORE&size=500")
    await page.click("[data-tick-all]")
    await expect(page.locator(SELECTED)).to_have_text("300 selected")
    await page.click("#ticked [formaction='/datasets/delete']")
    await page.fill("#typed_count", "300")
    await page.keyboard.press("Control+k")
    await page.fill("dialog [name=q]", "PS0001")
    await expect(page.locator("dialog .finds")).to_contain_text("SPARE_MAGNETS/PS0001")
    await page.evaluate("document.querySelector('dialog').close()")
    await page.click("main button.main")
    await page.wait_for_selector("[data-saved]")
    left = [unit.name async for unit in looking.client.control_units.list(filter="zone=STORE")]
    assert left == []


async def test_unit_servers_and_operations_are_ticked_and_ordered_together(
    looking: Looking,
) -> None:
    page, boxes = looking.page, looking.page.locator("[data-tick]")
    await looking.open("/unit_servers")
    await boxes.first.click()
    await boxes.last.click(modifiers=["Shift"])
    await expect(page.locator(SELECTED)).to_have_text("3 selected")
    await page.click("#ticked [value='restart']")
    await expect(page.locator("h1")).to_contain_text("Restart: 3 unit servers")

    for number in range(3):
        await looking.client.operations.order(ORDER_VERB_START, [unit_id(number)])
    await looking.open("/operations")
    for number in (0, 2):
        await boxes.nth(number).click()
    ticked = [await boxes.nth(number).get_attribute("value") for number in (0, 2)]
    await page.click("#ticked summary")
    async with page.expect_download() as download:
        await page.click("#ticked [value='csv']")
    lines = (await (await download.value).path()).read_text().splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ticked
    await page.click("#ticked [value='abort']")
    await page.fill("#reason", "beam is lost")
    await page.click("main button.main")
    for id in ticked:
        await expect(page.locator(f"tr[data-name='operations/{id}']")).to_contain_text("aborting")


async def test_more_than_an_address_holds_is_said_and_goes_nowhere(looking: Looking) -> None:
    page = looking.page
    await looking.open("/control_units")
    await page.evaluate(
        "for (const box of document.querySelectorAll('[data-tick]')) box.value += 'X'.repeat(900)"
    )
    await page.click("[data-tick-all]")
    at = page.url
    await page.click("#ticked [formaction='/datasets/delete']")
    await expect(page.locator(SELECTED)).to_contain_text("narrow the list by its filter")
    assert page.url == at


async def test_all_that_match_are_no_longer_selected_under_another_filter(
    looking: Looking,
) -> None:
    page = looking.page
    await looking.open("/control_units?q=zone%3DDAFNE,LINAC&size=50")
    await page.click("[data-tick-all]")
    await page.click("[data-tick-everything]")
    await expect(page.locator(SELECTED)).to_have_text("All that match are selected")
    await page.click("[aria-sort] a")
    await until_true(page, f"{SHOWN}[0] === 'LINAC/MAG/PS0118'")
    await expect(page.locator(SELECTED)).to_have_text("All that match are selected")
    await page.fill("#q", "zone=LINAC")
    await until_true(
        page, f"{SHOWN}.every((id) => id.startsWith('LINAC/')) && {SHOWN}.length === 40"
    )
    await expect(page.locator(SELECTED)).to_contain_text("50 selected")
    asked = "new URLSearchParams(new FormData(document.getElementById('ticked'))).get('filter')"
    assert await page.evaluate(asked) is None


async def test_the_way_back_leads_through_orders_and_pages(looking: Looking) -> None:
    page = looking.page
    await looking.open("/control_units?size=50")
    first = await page.evaluate(f"{SHOWN}[0]")
    await page.click("#list [rel=next]")
    await until_true(page, f"{SHOWN}[0] !== {first!r}")
    await page.click("[aria-sort] a")
    await until_true(page, f"{SHOWN}[0] === 'LINAC/MAG/PS0118'")
    await page.go_back()
    await until_true(page, "document.querySelector('[rel=prev]')")
    await page.go_back()
    await until_true(page, f"{SHOWN}[0] === {first!r}")


async def test_the_row_that_the_keyboard_is_at_stays_so_when_it_changes(
    looking: Looking,
) -> None:
    page = looking.page
    await looking.open("/control_units?columns=id,description", live=True)
    for key in ("j", "j", "x"):
        await page.keyboard.press(key)
    await looking.declare(await page.evaluate(f"{SHOWN}[1]"), "another one")
    await until_true(
        page, "document.querySelector('tr[data-here]')?.innerText.includes('another one')"
    )
    await expect(page.locator(SELECTED)).to_have_text("1 selected")


async def test_what_is_refused_is_said_where_one_looks_and_what_is_shown_stays(
    site: Site, new_page: NewPage
) -> None:
    page = await new_page(expected="502|ERR_FAILED|htmx")
    await page.goto(f"{site.url}/control_units")
    said = page.locator("#trouble")
    shown = await page.evaluate(SHOWN)

    async def refuse(route: Route) -> None:
        await route.fulfill(status=502, content_type="text/plain", body="<b>no</b> server answers")

    await page.route("**/control_units?*", refuse)
    await page.fill("#q", "zone=BTF")
    await expect(said).to_contain_text("<b>no</b> server answers")
    await page.unroute("**/control_units?*")
    await page.route("**/control_units?*", lambda route: route.abort())
    await page.fill("#q", "zone=LINAC")
    await expect(said).to_contain_text("does not answer")
    assert await page.evaluate(SHOWN) == shown
    await page.unroute("**/control_units?*")
    await page.fill("#q", "zone=DAFNE")
    await expect(page.locator("#count")).to_have_text("40 match")
    await expect(said).to_be_hidden()


async def test_a_part_that_a_busy_server_refused_comes_by_itself_when_it_may(
    site: Site, new_page: NewPage
) -> None:
    page = await new_page(expected="503|htmx")
    await page.goto(f"{site.url}/control_units")
    busy = await busy_for(page, "**/control_units?*q=zone*")
    await page.fill("#q", "zone=BTF")
    await expect(page.locator("#trouble")).to_contain_text("busy")
    await expect(page.locator("#count")).to_have_text("40 match")
    await expect(page.locator("#trouble")).to_be_hidden()
    assert len(busy) == 2, "once refused, once more as soon as it might be, and given then"


async def test_who_types_on_is_not_given_what_they_no_longer_want(
    site: Site, new_page: NewPage
) -> None:
    page = await new_page(expected="503|htmx")
    await page.goto(f"{site.url}/control_units")
    busy = await busy_for(page, "**/control_units?*q=zone*BTF*", seconds=4)
    await page.fill("#q", "zone=BTF")
    await expect(page.locator("#trouble")).to_contain_text("busy")
    await page.fill("#q", "zone=LINAC 0118")
    await expect(page.locator("#count")).to_have_text("1 matches")
    longest = await page.evaluate("performance.now() + 6500")
    await until_true(page, f"performance.now() > {longest}")
    assert len(busy) == 1
    assert "LINAC" in await page.input_value("#q")
    assert await page.evaluate(SHOWN) == ["LINAC/MAG/PS0118"]


async def test_rows_that_have_changed_are_read_when_a_busy_server_gives_them(
    looking: Looking, site: Site, new_page: NewPage
) -> None:
    page = looking.page = await new_page(expected="503")
    await looking.open("/control_units?columns=id,description", live=True)
    await busy_for(page, "**/control_units?*fragment=rows*")
    await looking.declare("DAFNE/MAG/PS0000", "changed while it was busy")
    await expect(page.locator("#list[data-failed]")).to_have_count(1)
    await expect(page.locator("#list[data-failed]")).to_have_count(0)
    assert "changed while it was busy" in await page.inner_text("#rows")


async def busy_for(page: Page, pattern: str, *, seconds: int = 1) -> list[str]:
    """Makes the server too busy for the first of some requests; all of them, as they come."""
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            await route.fallback()
            return
        await route.fulfill(
            status=503,
            content_type="text/plain",
            headers={"Retry-After": str(seconds)},
            body="The metadata server is busy.",
        )

    await page.route(pattern, answer)
    return asked


async def test_a_row_whose_unit_has_another_name_by_now_says_that_there_is_none(
    looking: Looking,
) -> None:
    units, old, new = looking.client.control_units, "control_units/AAA/OLD", "control_units/AAA/NEW"
    await units.create(ControlUnit(name=old, template="templates/Camera"), reason="a test")
    await looking.open("/control_units?q=zone%3DAAA", live=True)
    await units.RenameControlUnit(
        RenameControlUnitRequest(name=old, new_name=new, etag="*", reason="a test")
    )
    gone = "document.querySelector('#rows > tr.gone')?.dataset.name"
    await until_true(looking.page, f"{gone} === {old!r}")
    await units.delete("AAA/NEW", etag="*", reason="a test")


async def test_what_has_not_begun_has_no_age(looking: Looking) -> None:
    planned = Maintenance(
        name="maintenances/cooling", description="a new pump", id_prefixes=["LINAC/"]
    )
    planned.begin_time.FromDatetime(datetime.now(UTC) + timedelta(days=1))
    request = CreateMaintenanceRequest(maintenance=planned, reason="a test", request_id="cooling")
    await looking.client.maintenances.CreateMaintenance(request)
    await looking.open("/maintenances?columns=id,begin,changed", live=True)
    begin, changed = await looking.page.locator("#rows .age").all()
    await expect(changed).to_have_text(re.compile(r"^\d+ s$"))
    await expect(begin).to_have_text("")
