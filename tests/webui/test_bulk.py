"""The same fields of many units are edited together: kept, set or cleared, as one change."""

from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

import pytest
from mds.v1.bundle_pb2 import ItemAction, ItemResult
from mds.v1.edit_pb2 import EditControlUnitsResponse

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import Form, form_in, submit
from tests.webui.magnets import declare_magnets
from webui.datasets import bulk
from webui.datasets.plan import FirstResults

StartReplica = Callable[..., Awaitable[Replica]]
EDIT, APPLY = "/datasets/edit", "/datasets/edit/apply"
MAXIMUM = "overrides[current].maximum"
IDS = ("RING/MAG/Q1", "RING/MAG/Q2", "RING/MAG/Q3")


@pytest.fixture
async def client(start_replica: StartReplica, sqlite_database: str) -> AsyncIterator[Client]:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, *IDS)
        yield client


@pytest.fixture
async def site(client: Client, open_site: OpenSite) -> Site:
    return await open_site(client.address)


async def maximums(client: Client) -> list[str]:
    """Of the current of each magnet."""
    return [
        "".join(each.maximum for each in unit.overrides)
        async for unit in client.control_units.list()
    ]


async def planned(site: Site, query: str, status: int = 200, **said: str) -> tuple[Form, str]:
    """Fills in the form for some units, and asks what it means."""
    form = form_in(await site.text(f"{EDIT}?{query}"), EDIT)
    changed = {f"do:{MAXIMUM}": said["do"], f"to:{MAXIMUM}": said.get("to", ""), "reason": "hot"}
    text = await submit(site, form, changed=changed, status=status)
    return form_in(text, APPLY), text


async def test_what_is_set_and_cleared_is_shown_for_each_and_then_is_one_change(
    client: Client, site: Site
) -> None:
    assert "3 control units: " in await site.text(f"{EDIT}?filter=zone%3DRING")
    plan, text = await planned(site, "filter=zone%3DRING", do="set", to="60")
    assert "3 control units would change" in text
    assert await maximums(client) == ["", "", ""], "a plan writes nothing"
    text = await submit(site, plan)
    assert "Saved, as change" in text
    assert "hot" in text
    assert await maximums(client) == ["60", "60", "60"]

    plan, _ = await planned(site, "id=RING/MAG/Q1&id=RING/MAG/Q3", do="clear")
    text = await submit(site, plan)
    assert await maximums(client) == ["", "60", ""]
    undo = next(line for line in text.splitlines() if 'action="/change_sets/' in line)
    await submit(site, form_in(text, undo.partition('action="')[2].partition('"')[0]))
    assert await maximums(client) == ["60", "60", "60"]


async def test_what_is_wrong_is_told_for_each_unit_and_nothing_is_lost(
    client: Client, site: Site
) -> None:
    _, text = await planned(site, "filter=zone%3DRING", do="set", to="hot", status=422)
    assert text.count("right would be a number") >= 3
    again = await submit(site, _back(text), changed={"again": "1"})
    assert form_in(again, EDIT).fields[f"to:{MAXIMUM}"] == "hot"
    assert await maximums(client) == ["", "", ""]


async def test_a_plan_that_has_moved_is_shown_anew(client: Client, site: Site) -> None:
    plan, _ = await planned(site, "filter=zone%3DRING", do="set", to="60")
    await declare_magnets(client, "RING/MAG/Q4")
    text = await submit(site, plan, status=422)
    assert "Nothing was changed" in text
    assert "4 control units would change" in text
    assert await maximums(client) == [""] * 4
    await submit(site, form_in(text, APPLY))
    assert await maximums(client) == ["60"] * 4


async def test_nothing_chosen_and_nothing_said_change_nothing(client: Client, site: Site) -> None:
    assert "Choose units in their list first" in await site.text(EDIT)
    form = form_in(await site.text(f"{EDIT}?filter=zone%3DRING"), EDIT)
    assert "set or clear a field" in await submit(site, form, status=422)
    assert await maximums(client) == ["", "", ""]


async def test_of_a_change_of_many_the_first_are_shown_and_only_those_are_held(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_SHOWN", 2)
    _, text = await planned(site, "filter=zone%3DRING", do="set", to="60")
    assert "3 control units would change" in text
    assert text.count('class="item"') == 2
    assert "and 1 more" in text

    first = FirstResults(150)
    results = [ItemResult(action=ItemAction.ITEM_ACTION_CHANGED)] * 100
    responses = [EditControlUnitsResponse(results=results) for _ in range(5)]
    assert sum(len(first(each)) for each in responses) == 150
    assert first.more == 350


def _back(text: str) -> Form:
    """The same form, sent by the button that leads back."""
    form = form_in(text, APPLY)
    return Form(EDIT, form.method, form.fields, form.more)


async def test_a_silent_server_leaves_all_that_was_typed_to_be_sent_again(
    start_replica: StartReplica,
    sqlite_database: str,
    open_site: OpenSite,
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, *IDS)
        site = await open_site(replica.address)
        plan, _ = await planned(site, "id=RING/MAG/Q1&id=RING/MAG/Q3", do="set", to="60")
        replica.kill()
        text = await submit(site, plan, status=503)
        kept = form_in(text, APPLY)
        assert kept.fields["request_id"] == plan.fields["request_id"]
        await replica.start()

        async def answers() -> bool:
            async with site.http.get("/control_units") as page:
                return page.status == HTTPStatus.OK

        await until(answers)  # the page's own connection comes back in its own time
        await submit(site, kept)
        assert await maximums(client) == ["60", "", "60"]


async def test_labels_and_levels_of_many_are_set_together(client: Client, site: Site) -> None:
    form = form_in(await site.text(f"{EDIT}?filter=zone%3DRING"), EDIT)
    changed = {
        "label": "rack",
        "do:labels[+]": "set",
        "to:labels[+]": "7",
        "do:level": "set",
        "to:level": "-2",
        "do:after": "set",
        "to:after": "RING/VAC/",
    }
    plan = form_in(await submit(site, form, changed=changed), APPLY)
    assert plan.fields["label"] == "rack", "it is there when somebody goes back to the form"
    await submit(site, plan)
    async for unit in client.control_units.list():
        assert (dict(unit.labels), unit.level) == ({"rack": "7"}, -2)
        assert unit.after == ["control_units/RING/VAC/"]
