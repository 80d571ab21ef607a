"""A control room: two replicas on MariaDB, the page as a program, and a simulated facility.

The facility is the example that ships; where it stands beside the project, the export of DAFNE is
declared beside it. One unit server of the example runs.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from mds.v1 import bundle_pb2, control_unit_pb2, dataset_pb2, state_pb2
from playwright.async_api import Page, expect

from control_units.client import Client
from control_units.importers.chaos import read_chaos
from control_units.importers.facility import read_facility
from tests.conftest import CHAOS
from tests.scenarios.plans import apply
from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.browsers import until_true

RUNNING = "LINAC/MAGNETS"
"""The unit server that runs, and the prefix of its units that are magnets of the linac."""
QUADRUPOLES = tuple(f"LINAC/MAG/QUAD/QUALI0{number}" for number in range(1, 7))
AMONG_QUADRUPOLES = "zone=LINAC/MAG/QUAD"
DAFNE = CHAOS / "dafne.json"


@dataclass
class ControlRoom:
    """What runs.

    Attributes:
        replicas: the page asks one of them and, when that is gone, another.
        web: `mds web`.
    """

    replicas: list[Replica]
    web: Program
    client: Client
    url: str

    async def tick(self, page: Page, *ids: str, among: str = AMONG_QUADRUPOLES) -> None:
        """Ticks rows of the list of units that pass a filter, all between the first and the last."""
        await page.goto(f"{self.url}/control_units?q={quote(among, safe='')}")
        await until_true(page, "document.body.dataset.link === 'live'")
        box = '#rows tr[data-name="control_units/{}"] [data-tick]'
        await page.click(box.format(ids[0]))
        await page.click(box.format(ids[-1]), modifiers=["Shift"])
        await expect(page.locator("[data-tick-count]")).to_have_text(f"{len(ids)} selected")

    async def own_current(self, id: str) -> dataset_pb2.AttributeOverride:
        """What a unit says itself of its current."""
        return _own_current(await self.client.control_units.get(id))

    async def current_of(self, id: str) -> str:
        return (await self.own_current(id)).default_value

    async def set_current(self, id: str, text: str) -> None:
        """As somebody elsewhere does."""

        def edit(unit: control_unit_pb2.ControlUnit) -> None:
            _own_current(unit).default_value = text

        await self.client.control_units.change(id, edit)

    async def require(self, id: str, other: str) -> None:
        """Declares that a unit cannot do without another one."""
        unit = control_unit_pb2.ControlUnit(name=f"control_units/{id}", etag="*")
        unit.requires.append(f"control_units/{other}")
        await self.client.control_units.update(unit, "requires", reason="a test")


def _own_current(unit: control_unit_pb2.ControlUnit) -> dataset_pb2.AttributeOverride:
    (own,) = [each for each in unit.overrides if each.attribute == "current"]
    return own


@asynccontextmanager
async def running_control_room(
    database: str, folder: Path, *, with_dafne: bool, replicas: int = 2
) -> AsyncIterator[ControlRoom]:
    served = [Replica(database, folder) for _ in range(replicas)]
    addresses = ",".join(replica.address for replica in served)
    port = free_port()
    common = {"MDS_ADDRESS": addresses, "XDG_STATE_HOME": str(folder / "state")}
    web_settings = {**common, "MDS_WEB_PORT": str(port)}
    web = Program.mds("web", log=folder / "web.log", environment=web_settings)
    units = Program.mds("simulate", RUNNING, log=folder / "units.log", environment=common)
    try:
        await asyncio.gather(*(replica.start() for replica in served))
        web.start()
        async with Client(addresses) as client:
            await declare(client, facility_items(with_dafne=with_dafne))
            units.start()
            await until(lambda: "listening" in web.output(), what="the page to listen")
            await all_run(client)
            yield ControlRoom(served, web, client, f"http://127.0.0.1:{port}")
    finally:
        for program in (units, web, *(replica.program for replica in served)):
            program.clear()


def facility_items(*, with_dafne: bool) -> Iterable[bundle_pb2.BundleItem]:
    example = resources.files("control_units.simulated") / "facility.yaml"
    yield from read_facility(example.read_bytes()).items
    if with_dafne and DAFNE.exists():
        yield from read_chaos(DAFNE.read_bytes()).items


async def declare(client: Client, items: Iterable[bundle_pb2.BundleItem]) -> None:
    header = bundle_pb2.BundleHeader(skip_invalid=True, reason="declared for a test")
    told = await apply(client, items, header)
    assert told.summary.applied, told.problems


async def all_run(client: Client) -> None:
    async def they_do() -> bool:
        states = [(await status_of(client, id)).state for id in QUADRUPOLES]
        return set(states) == {state_pb2.STATE_RUNNING}

    await until(they_do, within=30, what=f"the units of {RUNNING} to run")


async def status_of(client: Client, id: str) -> control_unit_pb2.ControlUnitStatus:
    request = control_unit_pb2.GetControlUnitStatusRequest(name=f"control_unit_statuses/{id}")
    return await client.control_units.GetControlUnitStatus(request)


async def describe(client: Client, id: str, words: str) -> None:
    """Declares another description of a unit, as somebody elsewhere does."""
    unit = control_unit_pb2.ControlUnit(name=f"control_units/{id}", etag="*", description=words)
    await client.control_units.update(unit, "description", reason="a test")


async def add_attribute(page: Page, name: str, unit: str, default: str) -> None:
    """Fills in one more, a number that people set, in the form of a template."""
    await page.locator("summary", has_text="Add an attribute").click()
    facet = "[name='attributes[+1].{}']"
    for key, text in (("name", name), ("unit", unit), ("default_value", default)):
        await page.fill(facet.format(key), text)
    for key, text in (("type", "DOUBLE"), ("direction", "INPUT")):
        await page.select_option(facet.format(key), text)
