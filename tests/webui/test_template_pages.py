"""The page of a template: versions are begun, published, and units moved to them by ticks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from mds.v1.edit_pb2 import RebaseControlUnitsRequest, UnitSelection
from mds.v1.history_pb2 import UndoRequest
from mds.v1.template_pb2 import VersionState
from playwright.async_api import expect

from control_units.client import Client
from control_units.client.bundles import outcome_of
from tests.stages.replica import Replica
from tests.webui.browsers import NewPage
from tests.webui.conftest import OpenSite, Site, running_site
from tests.webui.forms import form_in, plan_at, submit
from tests.webui.magnets import declare_magnets
from webui import vocabulary
from webui.datasets import declaration, rebase
from webui.datasets.slots import NAME, ORDERED, PLACE

StartReplica = Callable[..., Awaitable[Replica]]
PAGE = "/templates/Magnet"
IDS = ("RING/MAG/Q1", "RING/MAG/Q2", "RING/MAG/Q3")
THIRTEEN = [f"RING/MAG/Q{number}" for number in range(1, 14)]


@pytest.fixture
async def client(start_replica: StartReplica, sqlite_database: str) -> AsyncIterator[Client]:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, *IDS)
        yield client


@pytest.fixture
async def site(client: Client, open_site: OpenSite) -> Site:
    return await open_site(client.address)


async def narrow(client: Client, maximum: str) -> None:
    """Has the template, or its draft, allow less current."""

    def edit(template: Any) -> None:
        next(each for each in template.attributes if each.name == "current").maximum = maximum

    await client.templates.change("Magnet", edit)


async def override(client: Client, id: str, current: str) -> None:
    def edit(unit: Any) -> None:
        del unit.overrides[:]
        unit.overrides.add(attribute="current", default_value=current)

    await client.control_units.change(id, edit)


async def move(client: Client, id: str, version: int) -> None:
    asked = RebaseControlUnitsRequest(
        template="templates/Magnet",
        to_version=version,
        selection=UnitSelection(names=[f"control_units/{id}"]),
    )
    async for _ in client.edits.RebaseControlUnits(asked):
        pass


async def versions(client: Client) -> dict[str, int]:
    return {
        unit.name.rpartition("/")[2]: unit.template_version
        async for unit in client.control_units.list()
    }


async def test_a_draft_is_begun_published_and_retired(client: Client, site: Site) -> None:
    text = await submit(site, form_in(await site.text(PAGE), f"{PAGE}/draft"))
    assert "2, draft" in text
    text = await submit(site, form_in(text, f"{PAGE}/publish"))
    assert "2, published" in text
    await submit(site, form_in(text, f"{PAGE}/deprecate"), changed={"version": "1"})
    marks = (await client.templates.get("Magnet")).versions
    assert [mark.version_state for mark in marks] == [
        VersionState.VERSION_STATE_DEPRECATED,
        VersionState.VERSION_STATE_PUBLISHED,
    ]


async def test_a_draft_that_somebody_else_has_changed_is_not_published_unseen(
    client: Client, site: Site
) -> None:
    text = await submit(site, form_in(await site.text(PAGE), f"{PAGE}/draft"))
    publishing = form_in(text, f"{PAGE}/publish")
    await narrow(client, "50")
    text = await submit(site, publishing, status=422)
    await submit(site, form_in(text, f"{PAGE}/publish"), status=422)  # once more, without a look
    assert (await client.templates.get("Magnet")).version_state == VersionState.VERSION_STATE_DRAFT


async def test_a_draft_that_is_thrown_away_can_come_back(client: Client, site: Site) -> None:
    text = await submit(site, form_in(await site.text(PAGE), f"{PAGE}/draft"))
    text = await submit(site, form_in(text, f"{PAGE}/discard"))
    assert "Saved, as change" in text
    assert (await client.templates.get("Magnet")).version == 1


async def test_the_past_shows_the_versions_of_then(client: Client, site: Site) -> None:
    then = (await client.templates.get("Magnet")).revision
    await narrow(client, "60")
    past = await site.text(f"{PAGE}?as_of={then}")
    versions_then = past.partition('class="list versions"')[2].partition("</table>")[0]
    assert "?version=1" in versions_then
    assert "?version=2" not in versions_then
    assert "Units" not in versions_then, "how many stand on each is not counted of then"


async def test_each_version_is_shown_and_what_it_allows(client: Client, site: Site) -> None:
    await narrow(client, "60")
    assert "0 … 60" in await site.text(PAGE)
    assert "0 … 100" in await site.text(f"{PAGE}?version=1")
    await site.text(f"{PAGE}?version=7", status=404)


async def test_units_that_are_ticked_are_moved_and_the_others_stay(
    client: Client, site: Site
) -> None:
    def set_too_high(unit: Any) -> None:
        unit.overrides.add(attribute="current", default_value="90")

    await client.control_units.change(IDS[2], set_too_high)
    await narrow(client, "60")
    text = await plan_at(site, f"{PAGE}/rebase?version=2")
    form = form_in(text, f"{PAGE}/rebase")
    ticked = [form.fields["unit"], *(value for name, value in form.more if name == "unit")]
    assert ticked == [f"control_units/{id}" for id in IDS[:2]], "what stands against it waits"
    assert "conflict" in text
    assert "right would be at most 60" in text

    form.more.clear()
    await submit(site, form, changed={"unit": f"control_units/{IDS[0]}", "reason": "try one"})
    assert await versions(client) == {"Q1": 2, "Q2": 1, "Q3": 1}

    form = form_in(await plan_at(site, f"{PAGE}/rebase?version=2"), f"{PAGE}/rebase")
    text = await submit(site, form, changed={"unit": f"control_units/{IDS[2]}"}, status=422)
    assert "Nothing was moved" in text
    again = form_in(text, f"{PAGE}/rebase")
    changed = {"unit": f"control_units/{IDS[2]}", "drop_conflicting": "1"}
    await submit(site, again, changed=changed)
    assert await versions(client) == {"Q1": 2, "Q2": 1, "Q3": 2}


async def test_units_that_stand_there_already_are_not_told_as_moved_now(
    client: Client, site: Site
) -> None:
    await narrow(client, "60")
    address = f"{PAGE}/rebase"
    mine, theirs = [form_in(await plan_at(site, f"{address}?version=2"), address) for _ in range(2)]
    assert "Saved, as change" in await submit(site, theirs)
    text = await submit(site, mine, status=422)
    assert "Nothing was moved: they stand there already." in text
    moved = (await client.control_units.get(IDS[0])).revision
    text = await submit(site, theirs, status=422)
    assert "they stand there already." in text, "the same request, sent again"
    assert (await client.control_units.get(IDS[0])).revision == moved


async def test_units_beyond_those_that_are_listed_are_moved_by_one_tick(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_too_high(unit: Any) -> None:
        unit.overrides.add(attribute="current", default_value="90")

    await declare_magnets(client, *IDS, "RING/MAG/Q4", "RING/MAG/Q5")
    for id in (IDS[2], "RING/MAG/Q4"):
        await client.control_units.change(id, set_too_high)
    await narrow(client, "60")
    monkeypatch.setattr(rebase, "MOST_SHOWN", 3)
    text = await plan_at(site, f"{PAGE}/rebase?version=2")
    assert "And 2 more, which nothing stands against" in text
    form = form_in(text, f"{PAGE}/rebase")
    assert form.fields.pop("unit") == f"control_units/{IDS[0]}", "what is listed has its own tick"
    await submit(site, form, changed={"reason": "all but the first"})
    assert await versions(client) == {"Q1": 1, "Q2": 2, "Q3": 1, "Q4": 1, "Q5": 2}

    monkeypatch.setattr(rebase, "MOST_SHOWN", 1)
    text = await plan_at(site, f"{PAGE}/rebase?version=2")
    assert "With a conflict and not listed: 1" in text


async def test_nobody_is_moved_for_whom_it_means_something_else_than_was_shown(
    client: Client, site: Site
) -> None:
    await override(client, IDS[2], "90")
    await narrow(client, "60")
    address = f"{PAGE}/rebase"
    every = {"drop_conflicting": "1", "reason": "all"}
    form = form_in(await plan_at(site, f"{address}?version=2"), address)
    form.more.append(("unit", f"control_units/{IDS[2]}"))
    await override(client, IDS[1], "77")
    await narrow(client, "50")
    await move(client, IDS[0], 3)
    text = await submit(site, form, changed=every, status=422)
    assert f"Nothing was moved: by now it means something else for {IDS[0]}, {IDS[1]}." in text
    assert await versions(client) == {"Q1": 3, "Q2": 1, "Q3": 1}
    (kept,) = (await client.control_units.get(IDS[1])).overrides
    assert kept.default_value == "77"
    assert 'id="draft-note"' in text, "ticks of an abandoned visit do not come back unseen"
    form = form_in(text, address)  # what is known by now may be done
    await submit(site, form)
    assert await versions(client) == {"Q1": 2, "Q2": 2, "Q3": 2}


async def test_what_others_do_to_units_that_stay_is_in_nobodys_way(
    client: Client, site: Site
) -> None:
    await narrow(client, "60")
    address = f"{PAGE}/rebase"
    form = form_in(await plan_at(site, f"{address}?version=2"), address)
    form.more = [each for each in form.more if each[1] != f"control_units/{IDS[2]}"]
    await override(client, IDS[2], "90")
    await submit(site, form)
    assert await versions(client) == {"Q1": 2, "Q2": 2, "Q3": 1}


@pytest.mark.parametrize(("looks", "changed"), [(1, {}), (2, {"drop_conflicting": "1"})])
async def test_who_comes_in_between_the_look_and_the_move_is_not_overrun(
    client: Client,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    looks: int,
    changed: dict[str, str],
) -> None:
    await narrow(client, "60")
    await override(client, IDS[2], "90")
    address = f"{PAGE}/rebase"
    form = form_in(await plan_at(site, f"{address}?version=2"), address)
    calls = 0

    async def be_overtaken(*what: Any, **how: Any) -> Any:
        nonlocal calls
        calls += 1
        outcome = await outcome_of(*what, **how)
        if calls == looks:
            await override(client, IDS[0], "55")
        return outcome

    monkeypatch.setattr(rebase, "outcome_of", be_overtaken)
    text = await submit(site, form, changed=changed, status=422)
    assert f"changed since: control_units/{IDS[0]}" in text
    assert set((await versions(client)).values()) == {1}


async def test_units_that_are_not_listed_are_as_they_were_when_they_were_counted(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await narrow(client, "60")
    await narrow(client, "50")
    monkeypatch.setattr(rebase, "MOST_SHOWN", 1)
    address = f"{PAGE}/rebase"
    form = form_in(await plan_at(site, f"{address}?version=2"), address)
    await move(client, IDS[2], 3)
    text = await submit(site, form, status=422)
    assert "something else for those that are not listed." in text
    assert await versions(client) == {"Q1": 1, "Q2": 1, "Q3": 3}
    await submit(site, form_in(text, address))
    assert set((await versions(client)).values()) == {2}


async def test_more_than_ten_are_moved_once_their_number_is_typed_as_they_are_ticked(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declare_magnets(client, *THIRTEEN)
    await narrow(client, "60")
    address = f"{PAGE}/rebase"
    form = form_in(await plan_at(site, f"{address}?version=2"), address)
    await submit(site, form, status=422)
    _, form.fields["unit"] = form.more.pop(0)
    text = await submit(site, form, changed={"typed_count": "13", "reason": "hot"}, status=422)
    assert "type 12, the number of units that are ticked now" in text
    assert "Type 12, the number of units, to confirm" in text
    assert set((await versions(client)).values()) == {1}

    form = form_in(text, address)
    assert len(form.more) == 11
    assert (form.fields["reason"], form.fields["typed_count"]) == ("hot", "")
    await submit(site, form, changed={"typed_count": " 12"})
    assert sorted((await versions(client)).values()) == [1] + 12 * [2]

    moved = (await client.control_units.get(IDS[2])).revision
    await client.history.Undo(UndoRequest(name=f"change_sets/{moved}", request_id="once more"))
    monkeypatch.setattr(rebase, "MOST_SHOWN", 1)
    form = form_in(await plan_at(site, f"{address}?version=2"), address)
    text = await submit(site, form, status=422)
    assert "type 13, the number of units that are ticked now" in text, "those not listed, too"


async def test_what_is_moved_without_an_answer_is_found_moved_when_it_is_sent_again(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declare_magnets(client, *THIRTEEN)
    await narrow(client, "60")
    monkeypatch.setattr(rebase, "MOST_SHOWN", 1)
    address = f"{PAGE}/rebase"
    form = form_in(await plan_at(site, f"{address}?version=2"), address)
    calls = 0

    async def lose_the_last_answer(*what: Any, **how: Any) -> Any:
        nonlocal calls
        calls += 1
        outcome = await outcome_of(*what, **how)
        if calls == 3:  # after who is not listed, and what it means for all of them
            raise TimeoutError
        return outcome

    with monkeypatch.context() as network:
        network.setattr(rebase, "outcome_of", lose_the_last_answer)
        text = await submit(site, form, changed={"typed_count": "13"}, status=503)
    assert set((await versions(client)).values()) == {2}
    assert "Saved, as change" in await submit(site, form_in(text, address))


async def test_the_number_to_be_typed_follows_the_ticks(
    start_replica: StartReplica,
    sqlite_database: str,
    new_page: NewPage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rebase, "MOST_SHOWN", 11)
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client, running_site(replica.address) as site:
        await declare_magnets(client, *THIRTEEN)
        await narrow(client, "60")
        page = await new_page()
        await page.goto(f"{site.url}{PAGE}/rebase?version=2&whole=1")
        asked = page.locator("[for=typed_count]")
        await expect(asked).to_have_text("Type 13, the number of units, to confirm")
        await page.uncheck("[name=rest]")
        await page.locator("[name=unit]").first.uncheck()
        await expect(asked).to_be_hidden()
        await page.check("[name=rest]")
        await expect(asked).to_have_text("Type 12, the number of units, to confirm")
        await page.reload()  # the ticks are kept as a draft
        await expect(asked).to_have_text("Type 12, the number of units, to confirm")
        await page.fill("#typed_count", "12")
        await page.get_by_role("button", name="Move them").click()
        await page.wait_for_selector("[data-saved]")
        assert sorted((await versions(client)).values()) == [1] + 12 * [2]


async def test_a_draft_is_edited_and_no_unit_uses_it_before_it_is_published(
    client: Client, site: Site
) -> None:
    form = form_in(await site.text(f"{PAGE}/edit"), f"{PAGE}/edit")
    changed = {
        "attributes[current].maximum": "60",
        "attributes[slit[mm]].unit": "mm",
        "attributes[stby].remove": "1",
        "attributes[+1].name": "polarity",
        "attributes[+1].type": "INT8",
        "attributes[+1].direction": "INPUT",
        "attributes[+1].default_value": "1",
        "parameters[ramp].default_value": "7",
    }
    text = await submit(site, form, changed=changed)
    assert "2, draft" in text
    draft = await client.templates.get("Magnet")
    found = {each.name: each for each in draft.attributes}
    assert set(found) == {"current", "slit[mm]", "readback", "polarity"}
    assert (found["current"].maximum, found["current"].default_value) == ("60", "10")
    assert found["slit[mm]"].unit == "mm"
    assert found["polarity"].default_value == "1"
    assert draft.parameters[0].default_value == "7"
    assert await versions(client) == {"Q1": 1, "Q2": 1, "Q3": 1}


async def test_a_template_too_is_wrong_beside_its_field_and_shared_field_by_field(
    client: Client, site: Site
) -> None:
    form = form_in(await site.text(f"{PAGE}/edit"), f"{PAGE}/edit")
    changed = {"attributes[current].maximum": "a lot", "attributes[+1].name": "polarity"}
    text = await submit(site, form, changed=changed, status=422)
    assert "right would be a number" in text
    again = form_in(text, f"{PAGE}/edit")
    assert {name: again.fields[name] for name in changed} == changed

    await narrow(client, "50")
    text = await submit(site, again, changed={"attributes[current].maximum": "60"}, status=412)
    choice = form_in(text, f"{PAGE}/edit")
    assert choice.choices["attributes[current].maximum"] == ["60", "50"]
    await submit(site, choice, changed={"attributes[current].maximum": "60"})
    draft = await client.templates.get("Magnet")
    found = {each.name: each.maximum for each in draft.attributes}
    assert (found["current"], "polarity" in found) == ("60", True)


def test_all_that_is_said_of_an_attribute_or_its_like_has_words() -> None:
    of_slots = (facet for slots in ORDERED for facet in slots.facets)
    facets = {NAME, PLACE, *declaration.FACETS, *of_slots}
    assert {each.replace("_", " ") for each in facets} == set(vocabulary.FACETS)
