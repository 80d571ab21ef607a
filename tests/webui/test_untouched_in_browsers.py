"""Who changes one field of a form in a browser changes that one: all others stay, byte for byte."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.message import Message
from mds.v1 import dataset_pb2, maintenance_pb2, template_pb2, unit_server_pb2
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.unit_server_pb2 import UnitServer
from playwright.async_api import Locator, Page

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage
from tests.webui.conftest import running_site

StartReplica = Callable[..., Awaitable[Replica]]
RECIPE, RAMP = "overrides[recipe].default_value", "parameters[ramp]"
# What nobody types, and programs declare all the same.
ODD = {"plain": "x", "ends": "  y ", "lines": "1\n2", "old lines": "1\r2", "wide": "1\u2028a=2"}
_OF_THE_SERVER = ("etag", "revision", "generation", "update_time")


@dataclass
class Place:
    url: str
    client: Client
    new_page: NewPage

    async def at(self, path: str, *, expected: str = "") -> Page:
        page = await self.new_page(expected=expected)
        await page.goto(f"{self.url}{path}")
        return page

    async def unit(self) -> ControlUnit:
        return await self.client.control_units.get("A")

    async def server(self) -> UnitServer:
        return await self.client.unit_servers.get("S")

    async def maintenance(self) -> maintenance_pb2.Maintenance:
        return await self.client.maintenances.GetMaintenance(
            maintenance_pb2.GetMaintenanceRequest(name="maintenances/cooling")
        )


@pytest_asyncio.fixture(loop_scope="session")
async def place(
    start_replica: StartReplica, database: str, new_page: NewPage
) -> AsyncIterator[Place]:
    replica = await start_replica(database)
    async with Client(replica.address) as client, running_site(replica.address) as site:
        await client.apply([template(), unit(), server()], reason="a test")
        yield Place(site.url, client, new_page)


def template() -> template_pb2.Template:
    made = template_pb2.Template(
        name="templates/T",
        implementation="T",
        description="of\nthem all ",
        version_state=template_pb2.VERSION_STATE_PUBLISHED,
    )
    made.attributes.add(
        name="recipe",
        direction=dataset_pb2.DIRECTION_INPUT,
        type=dataset_pb2.VALUE_TYPE_STRING,
        description=" how\nit goes",
        default_value="a\n\nb\n",
    )
    made.parameters.add(name="ramp", type=dataset_pb2.VALUE_TYPE_STRING)
    made.drivers.add(name="LIN", version="1\n2", init_parameter="\n{}\n")
    return made


def unit() -> ControlUnit:
    made = ControlUnit(
        name="control_units/A", template="templates/T", description="two\nlines", labels=ODD
    )
    made.overrides.add(attribute="recipe", default_value="step 1\nstep 2", unit=" ")
    made.parameters["ramp"] = " up\r\nand down\r"
    made.drivers.add(name="LIN", init_parameter='{"a": 1}\n', properties={"p": ' "x"', "q": "1"})
    return made


def server() -> UnitServer:
    launch = unit_server_pb2.Launch(
        command="run\n--now", working_directory=" /tmp ", configuration="\na: 1\n", environment=ODD
    )
    return UnitServer(name="unit_servers/S", description="a\rb", launch=launch)


def field(page: Page, name: str) -> Locator:
    return page.locator(f'[name="{name}"]')


async def save(page: Page, path: str) -> None:
    await page.locator("form.editing button.main").first.click()
    await page.wait_for_url(f"**{path}**")


def rest_of(message: Message, *changed: str) -> Any:
    """A resource without what was changed, and what the server says of each change."""
    copy = type(message)()
    copy.CopyFrom(message)
    for path in (*_OF_THE_SERVER, *changed):
        holder, _, name = path.rpartition(".")
        if name in copy.DESCRIPTOR.fields_by_name or holder:
            (getattr(copy, holder) if holder else copy).ClearField(name)
    return copy


async def test_a_unit_whose_level_is_changed_keeps_all_else(place: Place) -> None:
    before = await place.unit()
    page = await place.at("/control_units/A/edit")
    await field(page, "level").fill("3")
    await save(page, "/control_units/A?saved=")
    after = await place.unit()
    assert after.level == 3
    assert rest_of(after, "level") == rest_of(before, "level")


async def test_a_text_of_several_lines_is_edited_as_one(place: Place) -> None:
    page = await place.at("/control_units/A/edit")
    await field(page, RECIPE).fill("step 1\nstep 2\nstep 3")
    await save(page, "/control_units/A?saved=")
    after = await place.unit()
    (own,) = after.overrides
    assert (own.default_value, own.unit) == ("step 1\nstep 2\nstep 3", " ")
    assert rest_of(after, "overrides") == rest_of(await place.unit(), "overrides")


async def test_a_label_that_is_changed_leaves_the_others_alone(place: Place) -> None:
    page = await place.at("/control_units/A/edit")
    lines = await field(page, "labels").input_value()
    await field(page, "labels").fill(lines.replace("plain=x", "plain=z"))
    properties = field(page, "drivers[LIN].properties")
    await page.locator("details", has=properties).locator("summary").first.click()
    await properties.fill((await properties.input_value()).replace("q=1", "q=2"))
    await save(page, "/control_units/A?saved=")
    after = await place.unit()
    assert dict(after.labels) == {**ODD, "plain": "z"}
    assert dict(after.drivers[0].properties) == {"p": ' "x"', "q": "2"}


async def test_white_space_at_the_ends_can_be_taken_away(place: Place) -> None:
    page = await place.at("/control_units/A/edit")
    init = field(page, "drivers[LIN].init_parameter")
    await page.locator("details", has=init).locator("summary").first.click()
    await init.fill('{"a": 1}')
    await save(page, "/control_units/A?saved=")
    assert (await place.unit()).drivers[0].init_parameter == '{"a": 1}'


async def test_a_unit_server_whose_level_is_changed_keeps_all_else(place: Place) -> None:
    before = await place.server()
    page = await place.at("/unit_servers/S/edit")
    await field(page, "launch.level").fill("3")
    await save(page, "/unit_servers/S?saved=")
    after = await place.server()
    assert after.launch.level == 3
    assert rest_of(after, "launch.level") == rest_of(before, "launch.level")


async def test_a_template_whose_group_is_changed_keeps_all_else(place: Place) -> None:
    before = await place.client.templates.get("T")
    page = await place.at("/templates/T/edit")
    await field(page, "group").fill("G")
    await save(page, "/templates/T?saved=")
    after = await place.client.templates.get("T")
    assert after.group == "G"
    changed = ("group", "version", "versions", "version_state")
    assert rest_of(after, *changed) == rest_of(before, *changed)


async def test_a_copy_has_all_that_nobody_typed(place: Place) -> None:
    page = await place.at("/control_units/new?like=A")
    await field(page, "id").fill("B")
    await save(page, "/control_units/B?saved=")
    copied, before = await place.client.control_units.get("B"), await place.unit()
    changed = ("name", "create_time")
    assert rest_of(copied, *changed) == rest_of(before, *changed)


async def test_of_two_who_edit_one_neither_has_typed_what_only_came_back(place: Place) -> None:
    before = await place.unit()
    page = await place.at("/control_units/A/edit", expected="412")
    await field(page, "level").fill("3")

    def edit(unit: Any) -> None:
        unit.description = "theirs,\rin two lines\n"
        unit.level = 2

    await place.client.control_units.change("A", edit, reason="a test")
    await page.locator("form.editing button.main").first.click()
    await page.wait_for_selector(".choices")
    names = await page.locator(".choices [type=radio]").evaluate_all(
        "all => [...new Set(all.map((each) => each.name))].sort()"
    )
    assert names == ["description", "level"]
    # As it was before both: just so, though nobody could type it.
    await page.locator('.choices [name="level"][value="3"]').check()
    await save(page, "/control_units/A?saved=")
    after = await place.unit()
    assert (after.level, after.description) == (3, "theirs,\rin two lines\n")
    changed = ("level", "description")
    assert rest_of(after, *changed) == rest_of(before, *changed)


async def test_what_is_chosen_as_it_was_before_is_just_that(place: Place) -> None:
    def edit(unit: Any) -> None:
        unit.drivers[0].init_parameter = "theirs"

    page = await place.at("/control_units/A/edit", expected="412")
    await field(page, "level").fill("3")
    await place.client.control_units.change("A", edit, reason="a test")
    await page.locator("form.editing button.main").first.click()
    mine = page.locator('.choices [name="drivers[LIN].init_parameter"]').first
    await mine.check()
    await save(page, "/control_units/A?saved=")
    assert (await place.unit()).drivers[0].init_parameter == '{"a": 1}\n'


@pytest.fixture
def rome(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where one hour comes twice at the end of October."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "Europe/Rome")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("rome")
async def test_a_maintenance_whose_description_is_changed_keeps_its_times(place: Place) -> None:
    made = maintenance_pb2.Maintenance(
        name="maintenances/cooling", description="a\nb", control_units=["control_units/A"]
    )
    made.begin_time.FromJsonString("2026-10-24T10:00:00.250Z")
    made.end_time.FromJsonString("2099-10-25T01:30:00Z")  # the second 02:30 of that night
    made = await place.client.maintenances.CreateMaintenance(
        maintenance_pb2.CreateMaintenanceRequest(maintenance=made, reason="a test")
    )
    page = await place.at("/maintenances/cooling/edit")
    assert await field(page, "description").input_value() == "a\nb"
    await field(page, "description").fill("other")
    await save(page, "/maintenances/cooling?saved=")
    after = await place.maintenance()
    assert after.description == "other"
    assert rest_of(after, "description") == rest_of(made, "description")

    page = await place.at("/maintenances/cooling/edit")
    await field(page, "id_prefixes").fill("RING/")
    await save(page, "/maintenances/cooling?saved=")
    changed = ("description", "id_prefixes")
    assert rest_of(await place.maintenance(), *changed) == rest_of(made, *changed)
