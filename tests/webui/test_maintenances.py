"""A maintenance from the page: begun, seen, changed while somebody else does, ended, taken back."""

import re
from collections.abc import Awaitable, Callable

import pytest

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import form_in, submit
from tests.webui.magnets import declare_magnets
from webui.maintenances import ending

StartReplica = Callable[..., Awaitable[Replica]]
IDS = ("RING/Q1", "RING/Q2", "LINAC/Q1")


@pytest.fixture
async def site(start_replica: StartReplica, sqlite_database: str, open_site: OpenSite) -> Site:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, *IDS)
    return await open_site(replica.address)


async def begun(site: Site) -> str:
    """The page of one that has begun; its units were chosen by a filter."""
    form = form_in(await site.text("/maintenances/new?filter=zone%3DRING"), "/maintenances/new")
    assert form.fields["control_units"].split() == ["RING/Q1", "RING/Q2"]
    changed = {"description": "new <b>cooling</b>", "id": "cooling", "end": "2099-01-01T12:00"}
    return await submit(site, form, changed=changed)


async def test_a_maintenance_is_begun_seen_at_its_units_and_ended(site: Site) -> None:
    page = await begun(site)
    assert "new &lt;b&gt;cooling&lt;/b&gt;" in page
    assert "Goes on" in page
    assert "2099-01-01 12:00:00" in page
    assert 'href="/control_units/RING/Q1"' in page
    unit = await site.text("/control_units/RING/Q1")
    assert "In maintenance" in unit
    assert "/maintenances/cooling" in await site.text("/maintenances")
    assert "cooling" in await site.text("/maintenances/cooling/history")

    ended = await submit(site, form_in(page, "/maintenances/cooling/end"))
    assert "In maintenance" not in await site.text("/control_units/RING/Q1")
    await site.text("/maintenances/cooling", status=404)
    undo = re.search(r'action="(/change_sets/\d+/undo)"', ended)
    assert undo
    await submit(site, form_in(ended, undo[1]))
    assert "Goes on" in await site.text("/maintenances/cooling")


async def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_lost(site: Site) -> None:
    form = form_in(await site.text("/maintenances/new"), "/maintenances/new")
    typed = {"description": "kept", "id": "x", "control_units": "", "begin": "soon"}
    page = await submit(site, form, changed=typed, status=422)
    again = form_in(page, "/maintenances/new")
    assert (again.fields["description"], again.fields["begin"]) == ("kept", "soon")
    assert "write it as 2026-11-15T03:12" in page
    assert "at least one unit" in page
    right = {"control_units": "RING/NO\nRING/Q1", "begin": ""}
    page = await submit(site, again, changed=right | {"id": "no good!"}, status=422)
    assert "RING/NO" in page


async def test_what_is_typed_for_one_choice_of_units_is_kept_for_that_one(site: Site) -> None:
    def draft_of(page: str) -> str:
        return str(re.findall(r'data-draft="([^"]+)"', page)[0])

    paths = ("/maintenances/new", "/maintenances/new?id=A", "/maintenances/new?group=A")
    pages = [await site.text(path) for path in paths]
    assert len({draft_of(page) for page in pages}) == len(paths)
    wrong = await submit(site, form_in(pages[1], paths[0]), changed={"begin": "soon"}, status=422)
    assert draft_of(wrong) == draft_of(pages[1]), "also when it was refused"


async def test_a_form_sent_as_it_was_drawn_is_not_told_as_saved(site: Site) -> None:
    await begun(site)
    address = "/maintenances/cooling/edit"
    page = await submit(site, form_in(await site.text(address), address))
    assert "Goes on" in page
    assert 'class="saved"' not in page


async def test_seconds_that_a_browser_leaves_out_are_no_change(site: Site) -> None:
    await begun(site)
    address = "/maintenances/cooling/edit"
    mine, theirs = [form_in(await site.text(address), address) for _ in range(2)]
    assert mine.fields["end"] == "2099-01-01T12:00:00"
    await submit(site, theirs, changed={"description": "theirs"})
    typed = {"description": "mine", "end": "2099-01-01T12:00"}
    page = await submit(site, mine, changed=typed, status=412)
    assert list(form_in(page, address).choices) == ["description"]


async def test_two_who_change_one_see_each_other(site: Site) -> None:
    await begun(site)
    address = "/maintenances/cooling/edit"
    mine, theirs = [form_in(await site.text(address), address) for _ in range(2)]
    await submit(site, theirs, changed={"description": "theirs"})
    mine_too = {"description": "mine", "end": "2098-01-01T12:00:00"}
    page = await submit(site, mine, changed=mine_too, status=412)
    assert "new &lt;b&gt;cooling&lt;/b&gt;" in page, "what both began with"
    again = form_in(page, address)
    assert again.choices["description"] == ["mine", "theirs"]
    assert "description" not in again.fields, "somebody has to choose what both have changed"
    page = await submit(site, again, changed={"description": "theirs"})
    assert "theirs" in page
    assert "2098-01-01 12:00:00" in page
    assert 'href="/control_units/RING/Q2"' in page, "what nobody has changed stays"


async def test_several_are_ended_and_those_that_somebody_has_changed_meanwhile_stay(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Nothing to end" in await site.text("/maintenances/end?all=1")
    await begun(site)
    new = form_in(await site.text("/maintenances/new"), "/maintenances/new")
    other = {"description": "a leak", "id": "vacuum", "id_prefixes": "LINAC/"}
    await submit(site, new, changed=other)
    plan = form_in(await site.text("/maintenances/end?filter=id:*"), "/maintenances/end")
    edit = "/maintenances/vacuum/edit"
    await submit(site, form_in(await site.text(edit), edit), changed={"description": "two leaks"})
    text = await submit(site, plan, changed={"reason": "all is tight"}, status=422)
    assert "1 of 2 are done" in text
    assert "two leaks" in text
    await site.text("/maintenances/cooling", status=404)
    left = form_in(text, "/maintenances/end")
    assert (left.fields["id"], left.fields["reason"]) == ("vacuum", "all is tight")
    changes = await submit(site, left)
    assert changes.count("all is tight") == 2
    assert "Nothing to end" in await site.text("/maintenances/end", status=422)

    monkeypatch.setattr(ending, "MOST_WITHOUT_COUNT", 0)
    await begun(site)
    plan = form_in(await site.text("/maintenances/end?id=cooling"), "/maintenances/end")
    text = await submit(site, plan, changed={"typed_count": "2"}, status=422)
    assert "Nothing was ended" in text
    await submit(site, form_in(text, "/maintenances/end"), changed={"typed_count": "1"})
    await site.text("/maintenances/cooling", status=404)
