"""What a unit is declared to use is edited on its page, and nothing that was typed is lost."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from mds.v1 import history_pb2

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import form_in, submit
from tests.webui.magnets import ID, PAGE, declare_magnets
from webui.datasets import editing, just_made
from webui.datasets.unit_edited import EditedUnits

StartReplica = Callable[..., Awaitable[Replica]]
EDIT = f"{PAGE}/edit"
CURRENT = "overrides[current].default_value"


@dataclass
class Place:
    replica: Replica
    client: Client
    site: Site

    async def unit(self) -> Any:
        return await self.client.control_units.get(ID)

    async def others_set(self, **values: str) -> None:
        def edit(unit: Any) -> None:
            unit.overrides.add(attribute="current", **values)

        await self.client.control_units.change(ID, edit, reason="new magnets")


@pytest.fixture
async def place(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> AsyncIterator[Place]:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address, principal="bruno@console") as client:
        await declare_magnets(client)
        yield Place(replica, client, await open_site(replica.address))


async def test_each_value_says_where_it_comes_from(place: Place) -> None:
    await place.others_set(maximum="60")
    text = " ".join((await place.site.text(PAGE)).split())
    assert "Magnet, version 1" in text
    assert "maximum 60: this unit" in text
    assert "otherwise 100" in text


async def test_only_what_was_changed_is_written(place: Place) -> None:
    form = form_in(await place.site.text(EDIT), EDIT)
    changed = {CURRENT: "0x20", "overrides[slit[mm]].minimum": "-1", "labels": "group=A\r\nx=1"}
    text = await submit(place.site, form, changed=changed)
    assert "Saved, as change" in text
    unit = await place.unit()
    own = {each.attribute: each for each in unit.overrides}
    assert own["current"].default_value == "0x20", "as it was typed"
    assert not own["current"].HasField("maximum")
    assert own["slit[mm]"].minimum == "-1"
    assert dict(unit.labels) == {"group": "A", "x": "1"}
    changes = await place.client.history.ListChanges(
        history_pb2.ListChangesRequest(name=unit.name, page_size=1)
    )
    told = {difference.path.partition("[")[0] for difference in changes.changes[0].differences}
    assert told == {"overrides", "labels"}


async def test_a_form_sent_as_it_was_drawn_changes_nothing(place: Place) -> None:
    before = await place.unit()
    text = await submit(place.site, form_in(await place.site.text(EDIT), EDIT))
    assert "Saved" not in text
    assert await place.unit() == before


async def test_what_was_saved_can_be_taken_back_and_given_again(place: Place) -> None:
    form = form_in(await place.site.text(EDIT), EDIT)
    text = await submit(place.site, form, changed={CURRENT: "20"})
    saved = (await place.unit()).revision
    text = await submit(place.site, form_in(text, f"/change_sets/{saved}/undo"))
    assert not (await place.unit()).overrides
    undone = (await place.unit()).revision
    await submit(place.site, form_in(text, f"/change_sets/{undone}/undo"))
    assert (await place.unit()).overrides[0].default_value == "20"


async def test_a_value_goes_back_to_its_template(place: Place) -> None:
    await place.others_set(default_value="20", maximum="60")
    await submit(place.site, form_in(await place.site.text(PAGE), EDIT))
    (own,) = (await place.unit()).overrides
    assert (own.HasField("default_value"), own.maximum) == (False, "60")


async def test_what_is_wrong_stands_beside_its_field_and_all_that_was_typed_stays(
    place: Place,
) -> None:
    form = form_in(await place.site.text(EDIT), EDIT)
    changed = {CURRENT: "<much>", "parameters[ramp]": "7", "description": "Half a sentence"}
    text = await submit(place.site, form, status=422, changed=changed)
    again = form_in(text, EDIT)
    assert {name: again.fields[name] for name in changed} == changed
    assert "right would be a number" in text
    assert "<much>" not in text, "what was typed is never markup"
    assert not (await place.unit()).overrides
    await submit(place.site, again, changed={CURRENT: "30"})
    unit = await place.unit()
    assert (unit.overrides[0].default_value, unit.parameters["ramp"]) == ("30", "7")


async def test_two_who_edit_the_same_are_shown_mine_theirs_and_base(place: Place) -> None:
    form = form_in(await place.site.text(EDIT), EDIT)
    await place.others_set(default_value="40", maximum="90")
    mine = {CURRENT: "30", "parameters[ramp]": "7"}
    text = await submit(place.site, form, status=412, changed=mine)
    assert "bruno@console" in text
    assert "new magnets" in text
    again = form_in(text, EDIT)
    assert again.choices[CURRENT] == ["30", "40"]
    assert CURRENT not in again.fields, "somebody has to choose what both have changed"
    assert again.fields["parameters[ramp]"] == "7"
    assert again.fields["overrides[current].maximum"] == "90"
    await submit(place.site, again, changed={CURRENT: "30"})
    unit = await place.unit()
    assert (unit.overrides[0].default_value, unit.overrides[0].maximum) == ("30", "90")
    assert unit.parameters["ramp"] == "7"


async def test_what_was_typed_survives_a_server_that_does_not_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = form_in(await place.site.text(EDIT), EDIT)
    place.replica.kill()
    monkeypatch.setattr(editing, "READ_SECONDS", 0.5)
    text = await submit(place.site, form, status=503, changed={CURRENT: "30"})
    assert "Nothing was saved; try again" in text
    again = form_in(text, EDIT)
    assert again.fields[CURRENT] == "30"
    assert again.fields["request_id"] == form.fields["request_id"], "the same when it is repeated"
    await place.replica.start()
    monkeypatch.setattr(editing, "READ_SECONDS", 5.0)
    await submit(place.site, again)
    assert (await place.unit()).overrides[0].default_value == "30"


async def test_an_edit_that_nobody_has_answered_is_not_told_as_not_saved(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = form_in(await place.site.text(EDIT), EDIT)
    write = EditedUnits.write

    async def hear_nothing(*what: Any) -> Any:
        await write(*what)
        raise TimeoutError

    with monkeypatch.context() as network:
        network.setattr(EditedUnits, "write", hear_nothing)
        text = await submit(place.site, form, status=503, changed={CURRENT: "30"})
    assert "It may have been saved; try again" in text
    assert "Nothing was saved" not in text
    saved = (await place.unit()).revision
    await submit(place.site, form_in(text, EDIT))
    assert (await place.unit()).revision == saved, "sent again just so, it is not saved twice"


async def test_the_past_of_a_unit_is_shown_and_cannot_be_edited(place: Place) -> None:
    before = (await place.unit()).revision
    await place.others_set(default_value="20")
    now, then = await place.site.text(PAGE), await place.site.text(f"{PAGE}?as_of={before}")
    assert "<strong>20</strong>" in now
    assert "<strong>10</strong>" in then
    assert 'action="' + EDIT in now
    assert 'action="' + EDIT not in then


async def test_a_change_is_told_as_saved_only_to_who_has_just_made_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_told(revision: int) -> bool:
        at = (f"{PAGE}?saved={revision}", f"/change_sets/{revision}?saved=1")
        texts = [await place.site.text(each) for each in at]
        (told,) = {"Saved, as change" in text for text in texts}
        return told

    await place.others_set(maximum="60")
    assert not await is_told((await place.unit()).revision), "somebody else has made it"
    assert "Saved, as change" not in await place.site.text(f"{PAGE}?saved=987654321")
    form = form_in(await place.site.text(EDIT), EDIT)
    assert "Saved, as change" in await submit(place.site, form, changed={CURRENT: "30"})
    revision = (await place.unit()).revision
    assert await is_told(revision), "also when it is loaded again"
    monkeypatch.setattr(just_made, "RECENT", timedelta())
    assert not await is_told(revision), "it is long ago"
