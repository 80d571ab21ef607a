"""The whole way: server, page and control units as programs, and a browser that looks at it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest_asyncio
from mds.v1 import (
    bundle_pb2,
    control_unit_pb2,
    dataset_pb2,
    kind_pb2,
    state_pb2,
    template_pb2,
    unit_server_pb2,
    view_pb2,
    watch_pb2,
)
from playwright.async_api import Page

from control_units.client import Client
from tests.conftest import StartReplica
from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.browsers import NewPage, until_true

UNITS = {"PS/0": [f"DAFNE/PL/PS{n:02d}" for n in range(12)], "PS/1": ["LINAC/M1", "LINAC/M2"]}
POWER_SUPPLIES = Path(__file__).with_name("power_supplies.py")
# An event must be on the page within this, in s.
ON_THE_PAGE_S = 1.0
# What the console says when a web server ends, and when there is no such page.
CUT = "ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|404"
# Heartbeats of the test's facility, in s: with them it sees LOST quickly.
HEARTBEAT_S, LEASE_S = 0.5, 2.0


@dataclass
class Facility:
    """What runs, and who looks.

    Attributes:
        unit_servers: their programs, by id.
    """

    replica: Replica
    web: Program
    unit_servers: dict[str, Program]
    client: Client
    page: Page
    url: str

    async def text(self, selector: str) -> str:
        script = f"(document.querySelector({selector!r})?.innerText ?? '').replace(/\\s+/g, ' ')"
        return str(await self.page.evaluate(script))

    async def sees(self, selector: str, words: str, *, within: float = 15.0) -> None:
        async def said() -> bool:
            return words in await self.text(selector)

        try:
            await until(said, within=within)
        except AssertionError:
            raise AssertionError(
                f"Waited {within} s for {words!r} in {selector}; it says: "
                f"{await self.text(selector)!r}; {self.web.last_lines(5)}"
            ) from None

    async def change(self, id: str, *paths: str, **fields: object) -> None:
        """Declares something else of a control unit."""
        unit = control_unit_pb2.ControlUnit(name=f"control_units/{id}", etag="*", **fields)  # type: ignore[arg-type]
        request = control_unit_pb2.UpdateControlUnitRequest(control_unit=unit, reason="a test")
        request.update_mask.paths.extend(paths)
        await self.client.control_units.UpdateControlUnit(request)

    async def break_(self, id: str) -> None:
        """Opens the interlock of a power supply: it cannot start."""
        override = dataset_pb2.AttributeOverride(attribute="interlock", default_value="open <2>")
        await self.change(id, "overrides", overrides=[override])


async def declare(client: Client) -> None:
    template = template_pb2.Template(
        name="templates/PowerSupply",
        implementation="PowerSupply",
        version_state=template_pb2.VERSION_STATE_PUBLISHED,
    )
    template.attributes.add(name="interlock", type=dataset_pb2.VALUE_TYPE_STRING)
    items = [bundle_pb2.BundleItem(template=template)]
    for server, ids in UNITS.items():
        name = f"unit_servers/{server}"
        items.append(bundle_pb2.BundleItem(unit_server=unit_server_pb2.UnitServer(name=name)))
        for id in ids:
            unit = control_unit_pb2.ControlUnit(
                name=f"control_units/{id}",
                template="templates/PowerSupply",
                unit_server=name,
                desired_state=state_pb2.STATE_RUNNING,
            )
            items.append(bundle_pb2.BundleItem(control_unit=unit))
    header = bundle_pb2.BundleHeader(reason="a test", request_id="declare")
    requests = [
        bundle_pb2.ApplyRequest(header=header),
        bundle_pb2.ApplyRequest(items=items, end=True),
    ]
    last = None
    async for last in client.bundles.Apply(iter(requests)):
        assert not last.problems, last
    assert last is not None
    assert last.summary.applied, last


def unit_server(id: str, address: str, folder: Path) -> Program:
    name = id.replace("/", "-")
    environment = {
        "MDS_ADDRESS": address,
        "XDG_STATE_HOME": str(folder / "state"),
        "PYTHONPATH": ":".join(path for path in sys.path if path),
    }
    command = [sys.executable, str(POWER_SUPPLIES), id]
    return Program(command, log=folder / f"{name}.log", environment=environment)


@pytest_asyncio.fixture(loop_scope="session")
async def facility(
    start_replica: StartReplica, mariadb_database: str, tmp_path: Path, new_page: NewPage
) -> AsyncIterator[Facility]:
    fast = {"MDS_HEARTBEAT_S": str(HEARTBEAT_S), "MDS_LEASE_S": str(LEASE_S)}
    replica = await start_replica(mariadb_database, environment=fast)
    port = free_port()
    environment = {"MDS_ADDRESS": replica.address, "MDS_WEB_PORT": str(port)}
    web = Program.mds("web", log=tmp_path / "web.log", environment=environment)
    servers = {id: unit_server(id, replica.address, tmp_path) for id in UNITS}
    try:
        web.start()
        async with Client(replica.address) as client:
            await declare(client)
            page = await new_page(expected=CUT)
            facility = Facility(replica, web, servers, client, page, f"http://127.0.0.1:{port}")
            await until(lambda: "listening" in web.output(), what="the page to listen")
            await page.goto(f"{facility.url}/")
            yield facility
    finally:
        for program in [web, *servers.values()]:
            program.clear()


async def all_run(facility: Facility) -> None:
    for program in facility.unit_servers.values():
        program.start()
    await facility.sees("#headline h1", "All 14 control units are good")


async def test_units_come_alive_on_the_page(facility: Facility) -> None:
    await facility.sees("#headline h1", "14 of 14 control units are warning")
    await facility.sees("#attention", "no process has registered for it")
    await all_run(facility)
    assert "Nothing needs attention" in await facility.text("#attention-note")
    assert "12 of 12 running" in await facility.text("[id='server:PS/0'] summary")
    assert "Alive" in await facility.text("[id='server:PS/0'] summary")
    await facility.sees("[id='server:PS/0'] .beat", "ago")
    assert "Good" in await facility.text("[id='zone:DAFNE']")


async def test_an_event_is_on_the_page_within_a_second_without_reload(facility: Facility) -> None:
    await all_run(facility)
    await facility.page.evaluate("window.mine = 'not loaded again'")
    request = watch_pb2.WatchRequest(
        kinds=[kind_pb2.KIND_CONTROL_UNIT_STATUS], view=view_pb2.VIEW_FULL
    )
    stream = facility.client.watch.Watch(request)
    event = asyncio.create_task(_stopped(stream))
    try:
        await facility.change(
            "DAFNE/PL/PS03", "desired_state", desired_state=state_pb2.STATE_STOPPED
        )
        seen = "document.querySelector('[id=\"server:PS/0\"]').innerText.includes('1 stopped')"
        await until_true(facility.page, seen, within=10)
        on_the_page = time.monotonic()
        assert on_the_page - await event < ON_THE_PAGE_S
    finally:
        stream.cancel()
    assert await facility.page.evaluate("window.mine") == "not loaded again"


async def _stopped(stream: object) -> float:
    """When the event of a unit that has stopped arrives."""
    async for change in stream:  # type: ignore[attr-defined]
        for event in change.events:
            if event.control_unit_status.state == state_pb2.STATE_STOPPED:
                return time.monotonic()
    raise AssertionError("the watch ended without the event")


async def test_a_unit_in_error_comes_first_with_its_own_words(facility: Facility) -> None:
    await all_run(facility)
    await facility.break_("LINAC/M2")
    await facility.sees("#headline h1", "1 of 14 control units is bad")
    line = await facility.text("#attention > li:first-child")
    assert "Bad" in line
    assert "LINAC/M2" in line
    assert "Recoverable error" in line
    assert "interlock is open <2>" in line
    assert "LINAC" in await facility.text("#zones > li:first-child")
    assert await facility.page.evaluate("document.title") == "1 bad · Control units"


async def test_an_opened_unit_server_shows_its_units_as_they_change(facility: Facility) -> None:
    await all_run(facility)
    await facility.page.evaluate(
        """(() => { const summary = document.querySelector("[id='server:PS/0'] summary");
                    summary.click(); summary.focus(); window.scrollTo(0, 40); })()"""
    )
    await facility.sees("[id='server:PS/0/list']", "DAFNE/PL/PS11")
    await facility.break_("DAFNE/PL/PS07")
    await facility.sees("[id='server:PS/0/list'] tbody tr:first-child", "interlock is open")
    still = "[document.activeElement.tagName, scrollY, document.getElementById('server:PS/0/units').open]"
    assert await facility.page.evaluate(still) == ["SUMMARY", 40, True]


async def test_units_that_never_ran_are_shown_with_their_unit_server(facility: Facility) -> None:
    await until_true(facility.page, "document.querySelector(\"[id='server:PS/1'] summary\")")
    await facility.page.evaluate("document.querySelector(\"[id='server:PS/1'] summary\").click()")
    await facility.sees("[id='server:PS/1/list']", "LINAC/M2")
    await facility.sees("[id='server:PS/1/list']", "Never reported")


async def test_a_lost_unit_server_stands_as_one_line(facility: Facility) -> None:
    await all_run(facility)
    facility.unit_servers["PS/0"].kill()
    await facility.sees("[id='server:PS/0'] .contact", "Suspect")
    await facility.sees("[id='server:PS/0'] .contact", "Lost")
    await facility.sees("#headline h1", "12 of 14 control units are bad")
    assert await facility.page.evaluate("document.querySelectorAll('#attention > li').length") == 1
    line = await facility.text("#attention > li")
    assert "12 of 12 units" in line
    assert "its lease ran out without a word" in line
    assert "was 12 of 12 running" in await facility.text("[id='server:PS/0'] summary")
    facility.unit_servers["PS/0"].start()
    await facility.sees("#headline h1", "All 14 control units are good")


async def test_a_server_that_is_gone_turns_the_page_grey_until_it_is_back(
    facility: Facility,
) -> None:
    await all_run(facility)
    facility.replica.kill()
    await facility.sees("#banner", "No word from the metadata server since", within=5)
    assert "Unknown. As of" in await facility.text("#headline h1")
    assert await facility.page.evaluate("document.title") == "unknown · Control units"
    grey = "getComputedStyle(document.querySelector('.page')).filter"
    assert await facility.page.evaluate(grey) == "grayscale(1)"
    await facility.replica.start()
    await facility.sees("#headline h1", "All 14 control units are good")

    async def is_quiet() -> bool:
        return await facility.text("#banner") == ""

    # Its first streams may break once more, while the server is not quite there.
    await until(is_quiet, what="a page without a banner")
    assert await facility.page.evaluate(grey) == "none"


async def test_a_server_that_hangs_is_noticed_too(facility: Facility) -> None:
    await all_run(facility)
    facility.replica.program.pause()
    await facility.sees("#banner", "No word from the metadata server since", within=8)
    facility.replica.program.resume()
    await facility.sees("#headline h1", "All 14 control units are good")


async def test_a_web_server_that_is_gone_is_noticed_by_the_browser(facility: Facility) -> None:
    await all_run(facility)
    assert await facility.web.terminate() == 0
    await facility.sees("#cut", "This page has lost its web server", within=5)
    facility.web.start()
    await until_true(facility.page, "document.getElementById('cut').hidden")
    await facility.break_("LINAC/M1")
    await facility.sees("#headline h1", "1 of 14 control units is bad")


async def test_the_page_of_a_unit_shows_its_life_and_follows_it(facility: Facility) -> None:
    await all_run(facility)
    await facility.page.goto(f"{facility.url}/control_units/LINAC/M1")
    assert "Running" in await facility.text(".facts")
    assert "applied as declared" in await facility.text(".facts")
    assert "goes on" in await facility.text(".lives")
    assert "current_readback" in await facility.text("table.list")
    before = quote(datetime.now(UTC).isoformat())
    await facility.break_("LINAC/M1")
    await facility.sees(".facts", "interlock is open <2>")
    await facility.sees(".lives", "Recoverable error")
    await facility.page.goto(f"{facility.url}/control_units/LINAC/M1?as_of={before}")
    assert "Recoverable error" not in await facility.text(".lives"), "that came later"
    await facility.page.goto(f"{facility.url}/control_units/LINAC/M1?as_of=1")
    assert await facility.page.locator(".lives").count() == 0, "no process hosted it then"


async def test_what_is_not_there_is_not_found(facility: Facility) -> None:
    answer = await facility.page.goto(f"{facility.url}/control_units/NO/SUCH")
    assert answer is not None
    assert answer.status == 404
    assert "There is no such page" in await facility.text("body")
