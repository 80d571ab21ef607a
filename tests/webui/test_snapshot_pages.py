"""Snapshots in the browser: compared value by value, restored in part, taken, marked, deleted."""

import re
from collections.abc import Awaitable, Callable

import pytest
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.dataset_pb2 import VALUE_TYPE_BOOL, VALUE_TYPE_DOUBLE
from mds.v1.operation_pb2 import OrderVerb
from mds.v1.snapshot_pb2 import SavedUnit, SavedValue, Snapshot

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import Form, form_in, submit
from tests.webui.magnets import declare_magnets

StartReplica = Callable[..., Awaitable[Replica]]
IDS = ("RING/Q1", "RING/Q2", "LINAC/Q1")
PAGE = "/snapshots/night"
RESTORE = f"{PAGE}/restore"


def saved(id: str, current: str) -> SavedUnit:
    values = [
        SavedValue(attribute="current", type=VALUE_TYPE_DOUBLE, value=current),
        SavedValue(attribute="stby", type=VALUE_TYPE_BOOL, value="false"),
    ]
    return SavedUnit(control_unit=id, values=values if id in IDS else values[:1])


@pytest.fixture
async def held(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> tuple[Site, str]:
    """A page, and the address of a server with two snapshots of magnets that shall use 10 A."""
    replica = await start_replica(sqlite_database)
    values = {"RING/Q1": "12.5", "RING/Q2": "10.0", "LINAC/Q1": "99", "RING/GONE": "1"}
    night = Snapshot(
        name="snapshots/night", units=[saved(*each) for each in sorted(values.items())]
    )
    other = Snapshot(name="snapshots/other", units=[saved("RING/Q1", "12.4")])
    async with Client(replica.address) as client:
        await declare_magnets(client, *IDS)
        await client.apply([night, other], reason="a test")
    return await open_site(replica.address), replica.address


def rows(page: str) -> dict[str, str]:
    """What stands beside each value: of its unit and attribute."""
    found = re.findall(
        r'href="/control_units/([^"?]+)[^"]*">[^<]*</a>.*?<td class="id">(.*?)</td>(.*?)</tr>',
        page,
        re.DOTALL,
    )
    return {
        f"{unit} {name}": " ".join(re.sub(r"<[^>]+>", " ", text).split())
        for unit, name, text in found
    }


async def test_what_differs_stands_beside_what_is_intended(held: tuple[Site, str]) -> None:
    site, _ = held
    page = await site.text(f"{PAGE}?with=configured")
    assert rows(page) == {
        "RING/Q1 current": "12.5 10 2.5",
        "LINAC/Q1 current": "99 10 89",
        "RING/GONE current": "1 none",
    }
    assert "<strong>2 different</strong>, 1 only in the snapshot, 4 equal" in page
    page = await site.text(f"{PAGE}?with=configured&all=1&group=RING/&tolerance=3")
    assert rows(page) == {
        "RING/Q1 current": "12.5 equal",
        "RING/Q1 stby": "false equal",
        "RING/Q2 current": "10.0 equal",
        "RING/Q2 stby": "false equal",
        "RING/GONE current": "1 none",
    }
    assert rows(await site.text(f"{PAGE}?with=other&group=RING/Q1")) == {
        "RING/Q1 current": "12.5 12.4 0.1"
    }
    assert 'role="alert"' in await site.text(f"{PAGE}?with=nobody")
    past = await site.text(f"{PAGE}?as_of=2")
    assert rows(past)["RING/Q2 current"] == "10.0"
    assert RESTORE not in past


async def test_only_what_is_ticked_is_restored_and_its_plan_comes_first(
    held: tuple[Site, str],
) -> None:
    site, address = held
    page = await site.text(f"{PAGE}?with=configured")
    form = form_in(page, RESTORE)
    assert "RING/Q1 current" in form.choices["value"]
    assert "Tick values" in await submit(site, form, status=422)
    ticked = Form(RESTORE, "post", {"value": "RING/Q1 current"}, [("value", "RING/GONE current")])
    plan = await submit(site, ticked)
    assert "Restore 1 value:" in plan
    assert "Cannot be restored" in plan
    await submit(site, form_in(plan, RESTORE), changed={"reason": "as it was"})
    async with Client(address) as client:
        (operation,) = [each async for each in client.operations.list()]
        assert (operation.verb, operation.reason) == (OrderVerb.ORDER_VERB_EDIT, "as it was")
        assert operation.counts.steps == 1


async def test_somebody_else_is_faster_and_nothing_is_ordered(held: tuple[Site, str]) -> None:
    site, address = held
    plan = await submit(site, Form(RESTORE, "post", {"every": "1"}))
    assert "Restore 2 values" in plan
    async with Client(address) as client:
        changed = Snapshot(name="snapshots/night", etag="*", units=[saved("RING/Q1", "50")])
        await client.snapshots.update(changed, "units", reason="a test")
        again = await submit(site, form_in(plan, RESTORE), status=422)
        assert "Nothing was ordered." in again
        assert [each async for each in client.operations.list()] == []


async def test_only_values_that_were_shown_are_restored(held: tuple[Site, str]) -> None:
    site, address = held
    ticked = Form(RESTORE, "post", {"every": "1"})
    plan = await submit(site, ticked)
    gone = {"RING/GONE all": "is not declared"}
    assert rows(plan) == gone | {"LINAC/Q1 current": "99", "RING/Q1 current": "12.5"}

    def set_stby(unit: ControlUnit) -> None:
        unit.overrides.add(attribute="stby", default_value="true")

    async with Client(address) as client:
        # The same units, of which other values would be written.
        await client.control_units.change("RING/Q1", set_stby)
        text = await submit(site, form_in(plan, RESTORE), status=422)
        assert "Nothing was ordered. The order would not do any more what the plan said" in text
        assert "something else would be written" in text
        values = {"LINAC/Q1 current": "99", "RING/Q1 current": "12.5", "RING/Q1 stby": "false"}
        assert rows(text) == gone | values
        night = await client.snapshots.get("night")
        units = [each for each in night.units if each.control_unit != "RING/Q1"]
        retaken = Snapshot(name=night.name, etag="*", units=[saved("RING/Q1", "50"), *units])
        await client.snapshots.update(retaken, "units", reason="a test")
        text = await submit(site, form_in(text, RESTORE), status=422)
        assert rows(text) == gone | values | {"RING/Q1 current": "50"}
        assert [each async for each in client.operations.list()] == []
        await submit(site, form_in(text, RESTORE), changed={"reason": "as shown"})
        await until(lambda: is_written(client), what="the values that were shown last")


async def is_written(client: Client) -> bool:
    unit = await client.control_units.get("RING/Q1")
    overrides = {each.attribute: each.default_value for each in unit.overrides}
    return overrides == {"current": "50", "stby": "false"}


async def test_two_who_describe_one_see_each_other(held: tuple[Site, str]) -> None:
    site, _ = held
    address = f"{PAGE}/edit"
    mine, theirs = [form_in(await site.text(PAGE), address) for _ in range(2)]
    await submit(site, theirs, changed={"description": "theirs", "marks": "golden"})
    page = await submit(site, mine, changed={"description": "mine"}, status=412)
    again = form_in(page, address)
    assert again.choices["description"] == ["mine", "theirs"]
    assert "description" not in again.fields, "somebody has to choose what both have changed"
    assert again.fields["marks"] == "golden", "only they have changed it"
    page = await submit(site, again, changed={"description": "mine"})
    kept = form_in(page, address).fields
    assert (kept["description"], kept["marks"]) == ("mine", "golden")


async def test_it_is_marked_and_deleted_and_comes_back(held: tuple[Site, str]) -> None:
    site, _ = held
    form = form_in(await site.text(PAGE), f"{PAGE}/edit")
    assert 'class="saved"' not in await submit(site, form), "nothing was typed"
    form = form_in(await site.text(PAGE), f"{PAGE}/edit")
    stale = form_in(await site.text(PAGE), f"{PAGE}/edit")
    unseen = form_in(await site.text(PAGE), f"{PAGE}/edit")
    page = await submit(
        site, form, changed={"marks": "golden, stable", "description": "the good one"}
    )
    assert 'class="chip">golden<' in page
    page = await submit(site, stale, changed={"marks": "mine"}, status=412)
    assert 'name="marks" value="mine"' in page
    unseen.action = f"{PAGE}/delete"
    page = await submit(site, unseen, status=412)
    assert "Nothing was deleted: somebody else changed it" in page, "it is not what was seen"
    read = stale.fields["etag"]
    form = form_in(page, f"{PAGE}/edit")
    form.action = f"{PAGE}/delete"
    # A draft puts back what it was typed upon.
    deleted = await submit(site, form, changed={"etag": read, "description": "half a draft"})
    await site.text(PAGE, status=404)
    undo = re.search(r'action="(/change_sets/\d+/undo)"', deleted)
    assert undo
    await submit(site, form_in(deleted, undo[1]))
    assert "the good one" in await site.text(PAGE)


async def test_taking_one_names_who_stands_against_it(held: tuple[Site, str]) -> None:
    site, _ = held
    address = "/snapshots/new"
    form = form_in(await site.text(f"{address}?filter=zone%3DRING"), address)
    assert form.fields["filter"] == "zone=RING"
    page = await submit(site, form, changed={"name": "now", "marks": "golden"}, status=422)
    assert "RING/Q1" in page
    again = form_in(page, address)
    assert (again.fields["name"], again.fields["marks"]) == ("now", "golden")
    page = await submit(site, again, changed={"even_so": "1", "look": "1"})
    assert "It would have 0 values" in page
    page = await submit(
        site, form_in(page, address), changed={"filter": "", "name": "n"}, status=422
    )
    assert "Say of which units" in page
    taken = {"filter": "zone=RING", "even_so": "1", "name": "night"}
    assert "another one of this name" in await submit(
        site, form_in(page, address), changed=taken, status=409
    )
    page = await submit(site, form_in(page, address), changed=taken | {"name": "now"})
    assert 'data-shows="snapshots/now"' in page
