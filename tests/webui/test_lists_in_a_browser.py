"""Lists as somebody works with them: typing a filter, ticking rows, while things change."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mds.v1.control_unit_pb2 import ControlUnit

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.requirements import needs
from tests.webui.chromium import Page, chromium, what_is_missing
from tests.webui.conftest import OpenSite
from tests.webui.facility import declared_replica

UNITS = 120
SHOWN = "[...document.querySelectorAll('#rows > tr')].map((row) => row.dataset.name.slice(14))"
SELECTED = "document.querySelector('[data-tick-count]').innerText"


@dataclass
class Looking:
    """Somebody in front of a list."""

    page: Page
    url: str
    client: Client

    async def press(self, key: str) -> None:
        for type_ in ("rawKeyDown", "keyUp"):
            await self.page.call("Input.dispatchKeyEvent", type=type_, key=key, code=key)

    async def click(self, selector: str, *, shift: bool = False) -> None:
        event = f"new MouseEvent('click', {{bubbles: true, cancelable: true, shiftKey: {str(shift).lower()}}})"
        await self.page.evaluate(f"document.querySelector({selector!r}).dispatchEvent({event})")

    async def declare(self, id: str, description: str) -> None:
        unit = ControlUnit(name=f"control_units/{id}", etag="*", description=description)
        await self.client.control_units.update(unit, "description", reason="a test")


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """A facility that each test leaves with the units that it had."""
    needs(what_is_missing())
    with declared_replica(tmp_path_factory.mktemp("lists"), UNITS) as replica:
        yield replica


@pytest.fixture
async def looking(declared: Replica, open_site: OpenSite, tmp_path: Path) -> AsyncIterator[Looking]:
    async with Client(declared.address) as client:
        site = await open_site(declared.address, follow=True)
        async with chromium(tmp_path) as browser:
            page = await browser.page()
            await page.look(width=1366, height=768)
            yield Looking(page, site.url, client)


async def test_a_filter_is_applied_while_it_is_typed_and_gone_on_with_by_keys(
    looking: Looking,
) -> None:
    page = looking.page
    await page.open(f"{looking.url}/control_units?sort=-id")
    await page.evaluate("document.getElementById('q').focus()")
    await page.call("Input.insertText", text="zone=LINAC")
    await page.until(f"{SHOWN}.every((id) => id.startsWith('LINAC/'))")
    assert await page.evaluate(f"{SHOWN}.length") == UNITS / 3
    assert await page.evaluate(f"{SHOWN}[0]") == "LINAC/MAG/PS0118"
    assert await page.evaluate("location.search") == "?q=zone%3DLINAC&sort=-id"
    await page.call("Input.insertText", text=" stat")
    await page.until("document.getElementById('suggestions').innerText.includes('state=')")
    await looking.press("ArrowDown")
    await looking.press("Enter")
    assert await page.evaluate("document.getElementById('q').value") == "zone=LINAC state="
    await page.until("document.getElementById('suggestions').innerText.includes('RUNNING')")
    await page.call("Input.insertText", text="RUNING")
    await page.until("document.querySelector('.place mark')?.innerText === 'RUNING'")
    await looking.click("#filter-problem [data-filter]")
    await page.until("document.body.innerText.includes('Nothing matches.')")
    assert await page.evaluate("document.getElementById('q').value") == "zone=LINAC state=RUNNING"
    assert await page.evaluate("document.activeElement.id") == "q"
    assert page.faults == []


async def test_rows_change_in_their_place_and_new_ones_wait_until_they_are_asked_for(
    looking: Looking,
) -> None:
    page = looking.page
    await page.open(f"{looking.url}/control_units?columns=id,description&size=50")
    await page.until("document.body.dataset.link === 'live'")
    before = await page.evaluate(SHOWN)
    await looking.click("#rows > tr:nth-child(2) [data-tick]")
    await looking.click("#rows > tr:nth-child(5) [data-tick]", shift=True)
    assert await page.evaluate(SELECTED) == "4 selected"
    await page.evaluate("document.querySelector('#rows > tr:nth-child(3) a').focus()")

    await looking.declare(before[2], "another one")
    await page.until("document.querySelector('#rows').innerText.includes('another one')")
    assert await page.evaluate("document.activeElement.innerText") == before[2]
    assert await page.evaluate("document.querySelectorAll('[data-tick]:checked').length") == 4

    await looking.client.control_units.create(
        ControlUnit(name="control_units/AAA/NEW", template="templates/Camera"), reason="a test"
    )
    await page.until("document.getElementById('news').innerText === '1 more matches: show'")
    assert await page.evaluate(SHOWN) == before
    await looking.click("#news a")
    await page.until(f"{SHOWN}[0] === 'AAA/NEW'")
    assert await page.evaluate(SELECTED) == "4 selected"
    ticked = "[...document.querySelectorAll('[data-tick]:checked')].map((box) => box.value)"
    assert await page.evaluate(ticked) == before[1:5]

    await looking.client.control_units.delete("AAA/NEW", etag="*", reason="a test")
    await page.until("document.querySelector('#rows > tr').classList.contains('gone')")
    assert page.faults == []


async def test_all_that_match_are_selected_by_their_filter(looking: Looking) -> None:
    page = looking.page
    await page.open(f"{looking.url}/control_units?q=zone%3DDAFNE,LINAC&size=50")
    await looking.click("[data-tick-all]")
    await page.until(f"{SELECTED} === '50 selected'")
    everything = "document.querySelector('[data-tick-everything]').innerText"
    await page.until(f"{everything} === 'Select all 80 that match'")
    await looking.click("[data-tick-everything]")
    assert await page.evaluate(SELECTED) == "All that match are selected"
    asked = "new URLSearchParams(new FormData(document.getElementById('ticked'))).toString()"
    assert await page.evaluate(asked) == "filter=zone%3DDAFNE%2CLINAC"


async def test_the_way_back_leads_through_orders_and_pages(looking: Looking) -> None:
    page = looking.page
    await page.open(f"{looking.url}/control_units?size=50")
    first = await page.evaluate(f"{SHOWN}[0]")
    await looking.click("#list [rel=next]")
    await page.until(f"{SHOWN}[0] !== {first!r}")
    await looking.click("[aria-sort] a")
    await page.until(f"{SHOWN}[0] === 'LINAC/MAG/PS0118'")
    await page.evaluate("history.back()")
    await page.until("document.querySelector('[rel=prev]')")
    await page.evaluate("history.back()")
    await page.until(f"{SHOWN}[0] === {first!r}")
    assert page.faults == []


async def test_the_row_that_the_keyboard_is_at_stays_so_when_it_changes(
    looking: Looking,
) -> None:
    page = looking.page
    await page.open(f"{looking.url}/control_units?columns=id,description")
    await page.until("document.body.dataset.link === 'live'")
    for key in ("j", "j", "x"):
        await page.evaluate(
            f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))"
        )
    await looking.declare(await page.evaluate(f"{SHOWN}[1]"), "another one")
    await page.until("document.querySelector('tr[data-here]')?.innerText.includes('another one')")
    assert await page.evaluate(SELECTED) == "1 selected"
    assert page.faults == []
