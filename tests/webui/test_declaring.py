"""Units, unit servers and templates are declared, copied, renamed and deleted in the browser."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from mds.v1.state_pb2 import STATE_STOPPED
from mds.v1.template_pb2 import Template, VersionState

from control_units.client import Client, NotFound
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import form_in, submit
from tests.webui.magnets import ID, PAGE, declare_magnets
from webui.datasets import creating, drawing

StartReplica = Callable[..., Awaitable[Replica]]
NEW, EDIT = "/control_units/new", f"{PAGE}/edit"
CURRENT = "overrides[current].default_value"
LABEL = "overrides[label].default_value"
MAGNET = {"id": "RING/MAG/Q9", "template": "Magnet"}
OTHERS = ("RING/MAG/Q2", "RING/MAG/Q3")


@dataclass
class Place:
    replica: Replica
    client: Client
    site: Site

    async def unit(self, id: str = ID) -> Any:
        return await self.client.control_units.get(id)

    async def form(self, page: str, action: str = "") -> Any:
        return form_in(await self.site.text(page), action or page)


@pytest.fixture
async def place(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> AsyncIterator[Place]:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address, principal="bruno@console") as client:
        await declare_magnets(client, ID, *OTHERS)

        def add(template: Any) -> None:
            template.attributes.add(name="label", direction=1, type=12, default_value="none")
            template.drivers.add(name="LIN", version="1", init_parameter="/dev/ttyS0")
            template.drivers.add(name="CAN", version="2")

        def move(unit: Any) -> None:
            unit.template_version = 2

        await client.templates.change("Magnet", add)
        await client.control_units.change(ID, move)
        yield Place(replica, client, await open_site(replica.address))


async def test_a_unit_is_declared_with_all_its_fields(place: Place) -> None:
    text = await submit(place.site, await place.form(NEW), changed={**MAGNET, "redraw": "template"})
    form = form_in(text, NEW)
    assert form.fields["id"] == "RING/MAG/Q9", "what is typed stays when the template is read"
    changed = {
        CURRENT: "20",
        "desired_state": "STOPPED",
        "level": "-3",
        "requires": "RING/MAG/Q1\r\nRING/VAC/",
        "after": "RING/MAG/Q2",
        "labels": "rack=7",
        "drivers[+1].name": "CAN",
        "drivers[+1].init_parameter": '{"node": 3}',
    }
    text = await submit(place.site, form, changed=changed)
    assert "Saved, as change" in text
    unit = await place.unit("RING/MAG/Q9")
    assert unit.overrides[0].default_value == "20"
    assert (unit.desired_state, unit.level, dict(unit.labels)) == (STATE_STOPPED, -3, {"rack": "7"})
    assert unit.requires == ["control_units/RING/MAG/Q1", "control_units/RING/VAC/"]
    assert (unit.template_version, unit.after[0]) == (2, "control_units/RING/MAG/Q2")
    assert unit.drivers[0].init_parameter == '{"node": 3}'


async def test_what_is_wrong_with_a_new_unit_stands_beside_its_field(place: Place) -> None:
    wrong = {"id": "RING//Q9", "template": "Magnet", CURRENT: "many", "level": "high"}
    text = await submit(place.site, await place.form(NEW), changed=wrong, status=422)
    form = form_in(text, NEW)
    assert {name: form.fields[name] for name in wrong if name in form.fields} == wrong
    assert "right would be a whole number" in text
    text = await submit(place.site, form, changed={"level": "1"}, status=422)
    assert "right would be control_units/{id}" in text
    assert form_in(text, NEW).fields[CURRENT] == "many"


async def test_an_id_that_is_taken_is_compared_with_what_is_there(place: Place) -> None:
    mine = {"id": ID, "template": "Magnet", CURRENT: "20", "redraw": "template"}
    form = form_in(await submit(place.site, await place.form(NEW), changed=mine), NEW)
    text = await submit(place.site, form, status=409)
    assert "There is one of this id already" in text
    form = form_in(text, NEW)
    text = await submit(place.site, form, changed={"compare": "1"}, status=412)
    await submit(place.site, form_in(text, EDIT))
    assert (await place.unit()).overrides[0].default_value == "20"


async def test_a_unit_is_copied_with_what_no_form_shows(place: Place) -> None:
    def edit(unit: Any) -> None:
        unit.properties["colour"] = '"blue"'
        unit.desired_state = STATE_STOPPED
        unit.drivers.add(name="LIN")

    await place.client.control_units.change(ID, edit)
    form = await place.form(f"{NEW}?like={ID}", NEW)
    await submit(place.site, form, changed={"id": "RING/MAG/Q9"})
    unit = await place.unit("RING/MAG/Q9")
    assert (unit.properties["colour"], unit.drivers[0].name) == ('"blue"', "LIN")
    assert unit.desired_state == 0, "nobody wants a copy to run yet"


async def test_an_empty_text_is_a_value_of_its_own_until_it_is_reset(place: Place) -> None:
    await submit(place.site, await place.form(EDIT), changed={f"{LABEL}.empty": "1"})
    (own,) = (await place.unit()).overrides
    assert (own.HasField("default_value"), own.default_value) == (True, "")
    text = await place.site.text(PAGE)
    assert "an empty text" in text
    assert "otherwise none" in text
    await submit(place.site, await place.form(PAGE, EDIT))
    assert not (await place.unit()).overrides


async def test_drivers_change_their_order_and_go(place: Place) -> None:
    def edit(unit: Any) -> None:
        for name in ("LIN", "CAN", "LIN"):
            unit.drivers.add(name=name)

    await place.client.control_units.change(ID, edit)
    changed = {"drivers[LIN#2].place": "1", "drivers[LIN].remove": "1"}
    await submit(place.site, await place.form(EDIT), changed=changed)
    assert [each.name for each in (await place.unit()).drivers] == ["LIN", "CAN"]


async def test_a_unit_moves_to_another_template_and_its_numbers(place: Place) -> None:
    await place.client.templates.create(Template(name="templates/Lamp", implementation="Lamp"))
    await submit(place.site, await place.form(EDIT), changed={"template": "Lamp"})
    assert (await place.unit()).template_version == 1


async def test_what_is_deleted_meanwhile_can_be_declared_anew(place: Place) -> None:
    form = await place.form(EDIT)
    await place.client.control_units.delete(ID, etag="*")
    text = await submit(place.site, form, changed={CURRENT: "30"}, status=404)
    assert "Somebody has deleted it meanwhile" in text
    await submit(place.site, form_in(text, NEW))
    assert (await place.unit()).overrides[0].default_value == "30"


async def test_a_new_unit_survives_a_server_that_does_not_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = await place.form(NEW)
    place.replica.kill()
    for module in (creating, drawing):
        monkeypatch.setattr(module, "READ_SECONDS", 0.5)
    text = await submit(place.site, form, changed={**MAGNET, "labels": "a=1"}, status=503)
    again = form_in(text, NEW)
    assert again.fields["request_id"] == form.fields["request_id"]
    await place.replica.start()
    monkeypatch.setattr(creating, "READ_SECONDS", 5.0)
    await submit(place.site, again)
    assert dict((await place.unit("RING/MAG/Q9")).labels) == {"a": "1"}


async def test_a_unit_is_renamed(place: Place) -> None:
    page = f"{PAGE}/rename"
    text = await submit(
        place.site, await place.form(page), changed={"new_id": OTHERS[0]}, status=422
    )
    assert "is there already" in text
    await submit(place.site, form_in(text, page), changed={"new_id": "RING/MAG/Q7"})
    assert (await place.unit("RING/MAG/Q7")).template == "templates/Magnet"


async def test_a_unit_is_deleted_with_whom_it_hits_and_comes_back(place: Place) -> None:
    def need(unit: Any) -> None:
        unit.requires.append(f"control_units/{ID}")

    await place.client.control_units.change(OTHERS[0], need)
    text = await place.site.text(f"{PAGE}/delete")
    assert "1 unit requires what would be deleted" in text
    text = await submit(place.site, form_in(text, f"{PAGE}/delete"))
    with pytest.raises(NotFound):
        await place.unit()
    revision = int(text.split("Saved, as change ")[1].split(".")[0])
    await submit(place.site, form_in(text, f"/change_sets/{revision}/undo"))
    assert (await place.unit()).template == "templates/Magnet"


async def test_what_changed_since_it_was_seen_is_not_deleted(place: Place) -> None:
    form = await place.form(f"{PAGE}/delete")

    def edit(unit: Any) -> None:
        unit.description = "new"

    await place.client.control_units.change(ID, edit)
    text = await submit(place.site, form, status=422)
    assert "Nothing was deleted" in text
    await submit(place.site, form_in(text, f"{PAGE}/delete"))
    with pytest.raises(NotFound):
        await place.unit()


async def test_what_is_in_use_is_not_deleted_and_says_by_whom(place: Place) -> None:
    text = await place.site.text("/templates/Magnet/delete")
    assert f"this one is used by control_units/{ID}" in text
    assert 'action="/templates/Magnet/delete"' not in text
    async with place.site.http.post("/templates/Magnet/delete") as answer:
        assert answer.status == 422
    assert (await place.client.templates.get("Magnet")).version == 2


async def test_a_unit_server_is_declared_edited_and_deleted(place: Place) -> None:
    new, page = "/unit_servers/new", "/unit_servers/RING/MAGNETS"
    changed = {
        "id": "RING/MAGNETS",
        "description": "All of them",
        "launch.command": "magnets --all",
        "launch.environment": "HOME=/srv\r\nA=b=c",
        "launch.auto_start": "true",
    }
    text = await submit(place.site, await place.form(new), changed=changed)
    assert "Saved, as change" in text
    server = await place.client.unit_servers.get("RING/MAGNETS")
    assert dict(server.launch.environment) == {"HOME": "/srv", "A": "b=c"}
    assert server.launch.auto_start
    form = await place.form(f"{page}/edit")
    form.more.clear()  # no box is ticked any more
    await submit(place.site, form, changed={"launch.command": "", "launch.auto_start": ""})
    server = await place.client.unit_servers.get("RING/MAGNETS")
    assert (server.launch.command, server.launch.auto_start) == ("", False)
    await submit(place.site, await place.form(f"{page}/delete"))
    with pytest.raises(NotFound):
        await place.client.unit_servers.get("RING/MAGNETS")


async def test_a_template_is_written_as_a_draft_with_all_that_is_said_of_attributes(
    place: Place,
) -> None:
    new = "/templates/new"
    changed = {
        "id": "Camera",
        "implementation": "::Camera",
        "attributes[+1].name": "image",
        "attributes[+1].type": "UINT8",
        "attributes[+1].direction": "OUTPUT",
        "attributes[+1].shape": "480, 640",
        "attributes[+1].maximum_size_bytes": "307200",
        "redraw": "attributes",
    }
    form = form_in(await submit(place.site, await place.form(new), changed=changed), new)
    more = {
        "attributes[+2].name": "shutter",
        "attributes[+2].unit": "us",
        "parameters[+1].name": "port",
        "parameters[+1].required": "true",
        "drivers[+1].name": "GigE",
        "drivers[+1].properties": "mtu=9000",
    }
    await submit(place.site, form, changed=more)
    template = await place.client.templates.get("Camera")
    assert template.version_state == VersionState.VERSION_STATE_DRAFT
    assert list(template.attributes[0].shape) == [480, 640]
    assert template.attributes[1].unit == "us"
    assert template.parameters[0].required
    assert dict(template.drivers[0].properties) == {"mtu": "9000"}


async def test_attributes_are_moved_by_buttons_and_keep_their_order(place: Place) -> None:
    page = "/templates/Camera/edit"
    template = Template(name="templates/Camera", implementation="Camera")
    for name in ("zoom", "focus", "gain"):
        template.attributes.add(name=name)
    await place.client.templates.create(template)
    form = await place.form(page)
    for word in ("gain].up", "gain].up", "zoom].down", "zoom].down"):
        pressed = {"redraw": f"attributes[{word}", "attributes[zoom].unit": "mm"}
        text = await submit(place.site, form, changed=pressed)
        (button,) = re.findall(r"<button[^>]* autofocus[^>]*>", text)
        assert f"attributes[{word}" in button, "it can be pressed again"
        form = form_in(text, page)
    drawn = re.findall(r'<summary><span class="id">(\w+)', text)
    assert drawn == ["gain", "focus", "zoom"]
    text = await submit(place.site, form)
    draft = await place.client.templates.get("Camera")
    assert [each.name for each in draft.attributes] == ["gain", "focus", "zoom"]
    assert draft.attributes[2].unit == "mm"
    told = await place.site.text(f"/change_sets/{draft.revision}")
    assert "[&#34;zoom&#34;, &#34;focus&#34;, &#34;gain&#34;]" in told, "a move is a difference"
    publish = "/templates/Camera/publish"
    await submit(place.site, await place.form("/templates/Camera", publish))
    camera = {"id": "RING/CAM/1", "template": "Camera"}
    await submit(place.site, await place.form(NEW), changed=camera)
    rows = await place.site.text("/control_units/RING/CAM/1")
    assert re.findall(r">(zoom|focus|gain)\b", rows)[:3] == ["gain", "focus", "zoom"]


async def test_an_undo_that_others_stand_against_says_so(place: Place) -> None:
    text = await submit(place.site, await place.form(EDIT), changed={CURRENT: "20", "level": "4"})
    saved = (await place.unit()).revision

    def edit(unit: Any) -> None:
        unit.overrides[0].default_value = "40"

    await place.client.control_units.change(ID, edit, reason="new magnets")
    text = await submit(place.site, form_in(text, f"/change_sets/{saved}/undo"), status=409)
    assert "Nothing was taken back" in text
    assert "bruno@console" in text
    assert (await place.unit()).overrides[0].default_value == "40"


async def test_the_rest_of_a_change_is_taken_back_if_asked(place: Place) -> None:
    page = "/datasets/edit"
    form = await place.form(f"{page}?id={OTHERS[0]}&id={OTHERS[1]}", page)
    changed = {"do:description": "set", "to:description": "together"}
    plan = form_in(await submit(place.site, form, changed=changed), f"{page}/apply")
    await submit(place.site, plan)
    undo = f"/change_sets/{(await place.unit(OTHERS[0])).revision}/undo"

    def edit(unit: Any) -> None:
        unit.description = "alone"

    await place.client.control_units.change(OTHERS[0], edit)
    text = await place.site.text(undo)
    assert "The rest can be" in text
    await submit(place.site, form_in(text, undo))
    told = [(await place.unit(id)).description for id in OTHERS]
    assert told == ["alone", ""]


async def test_names_are_suggested_while_they_are_typed(place: Place) -> None:
    assert "RING/MAG/Q2" in await place.site.text("/names/control_units?q=q2")
