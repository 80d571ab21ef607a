"""The past of a resource: one time axis, From and To, and back to what it was."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from mds.v1.operation_pb2 import OrderVerb

from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import form_in, submit
from tests.webui.magnets import ID, PAGE, declare_magnets
from webui.datasets import history, undo

StartReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture
async def client(start_replica: StartReplica, sqlite_database: str) -> AsyncIterator[Client]:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address, principal="bruno@console") as client:
        await declare_magnets(client)
        yield client


@pytest.fixture
async def site(client: Client, open_site: OpenSite) -> Site:
    return await open_site(client.address)


async def describe(client: Client, text: str) -> int:
    """Gives the magnet a description; the change that did it."""
    unit = await client.control_units.get(ID)
    unit.description = text
    changed = await client.control_units.update(unit, "description", reason=f"to {text}")
    return changed.revision


async def test_changes_and_operations_stand_on_one_axis(client: Client, site: Site) -> None:
    await describe(client, "first")
    await client.operations.order(OrderVerb.ORDER_VERB_START, [ID], reason="beam time")

    async def is_wanted() -> bool:
        return bool((await client.control_units.get(ID)).desired_state)

    await until(is_wanted, what="the step of the operation")
    await describe(client, "second")
    text = await site.text(f"{PAGE}/history")
    order = ["to second", "beam time", "to first", "a test"]
    assert [text.index(each) for each in order] == sorted(text.index(each) for each in order)


async def test_two_moments_are_compared_and_the_earlier_can_come_back(
    client: Client, site: Site
) -> None:
    first = await describe(client, "first")
    second = await describe(client, "second <b>")
    chosen = form_in(await site.text(f"{PAGE}/history"), f"{PAGE}/compare")
    assert (chosen.fields["from"], chosen.fields["to"]) == (str(first), str(second))
    for pair in (f"from={first}&to={second}", f"from={second}&to={first}"):
        text = await site.text(f"{PAGE}/compare?{pair}")
        assert text.index("first") < text.index("second &lt;b&gt;"), "From is the earlier one"
    form = form_in(await site.text(f"{PAGE}/revert?to={first}"), f"{PAGE}/revert")
    text = await submit(site, form, changed={"reason": "it was better"})
    assert (await client.control_units.get(ID)).description == "first"
    reverted = (await client.control_units.get(ID)).revision
    await submit(site, form_in(text, f"/change_sets/{reverted}/undo"))
    assert (await client.control_units.get(ID)).description == "second <b>"


async def test_what_is_as_it_was_cannot_be_taken_back_as_if_it_had_been_done_now(
    client: Client, site: Site
) -> None:
    first = await describe(client, "first")
    revert = form_in(await site.text(f"{PAGE}/revert?to={first}"), f"{PAGE}/revert")
    assert 'class="saved"' not in await submit(site, revert)

    change = await describe(client, "second")
    address = f"/change_sets/{change}/undo"
    mine, theirs = [form_in(await site.text(f"{address}?back={PAGE}"), address) for _ in range(2)]
    assert "Taken back, by change" in await submit(site, theirs)
    text = await submit(site, mine, status=409)
    assert "What it changed is as it was before already." in text
    assert 'class="saved"' not in text
    again = await submit(site, theirs)
    assert "Taken back, by change" in again, "the same request, whose answer was lost"


async def test_a_plan_that_has_moved_is_shown_again_and_nothing_is_done(
    client: Client, site: Site
) -> None:
    first = await describe(client, "first")
    await describe(client, "second")
    form = form_in(await site.text(f"{PAGE}/revert?to={first}"), f"{PAGE}/revert")
    await describe(client, "third")
    text = await submit(site, form, changed={"reason": "why"}, status=412)
    assert "somebody else was faster" in text
    assert (await client.control_units.get(ID)).description == "third"
    again = form_in(text, f"{PAGE}/revert")
    assert again.fields["reason"] == "why"
    await submit(site, again)
    assert (await client.control_units.get(ID)).description == "first"


async def test_an_undo_from_the_history_shows_its_plan(client: Client, site: Site) -> None:
    await describe(client, "first")
    change = await describe(client, "second")
    text = await site.text(f"/change_sets/{change}/undo?back={PAGE}")
    assert text.index("second") < text.index("first")
    back = await submit(site, form_in(text, f"/change_sets/{change}/undo"))
    assert "Taken back" in back
    assert (await client.control_units.get(ID)).description == "first"


async def test_an_undo_that_comes_from_nowhere_leads_to_its_own_change(
    client: Client, site: Site
) -> None:
    change = await describe(client, "second")
    address = f"/change_sets/{change}/undo"
    text = await submit(site, form_in(await site.text(address), address))
    assert "Taken back, by change" in text
    assert (await client.control_units.get(ID)).description != "second"


async def test_a_change_of_more_than_ten_is_taken_back_once_their_number_is_typed(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"{ID}{number:02}" for number in range(12)]
    await declare_magnets(client, *ids)
    change = (await client.control_units.get(ids[0])).revision
    address = f"/change_sets/{change}/undo"
    monkeypatch.setattr(undo, "MOST_SHOWN", 5)
    text = await site.text(address)
    assert "Type 12, how many they are, to confirm" in text
    assert "and 7 more" in text
    changed = {"typed_count": "5", "reason": "too early"}
    text = await submit(site, form_in(text, address), changed=changed, status=409)
    assert "Nothing was taken back" in text
    assert 'aria-describedby=" typed_count-problem"' in text
    form = form_in(text, address)
    assert form.fields["reason"] == "too early"
    await submit(site, form, changed={"typed_count": "12"})
    left = [each.name async for each in client.control_units.list()]
    assert left == [f"control_units/{ID}"]


async def test_what_others_have_changed_since_is_not_taken_back(client: Client, site: Site) -> None:
    await describe(client, "first")
    change = await describe(client, "second")
    await describe(client, "third")
    assert "Cannot be taken back by itself" in await site.text(f"/change_sets/{change}/undo")
    async with site.http.post(f"/change_sets/{change}/undo") as answer:
        assert answer.status == 409
        assert "Nothing was taken back" in await answer.text()
    assert (await client.control_units.get(ID)).description == "third"


async def test_a_long_history_goes_on_on_older_pages(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await describe(client, f"text{number}")
    monkeypatch.setattr(history, "PAGE", 2)
    seen, path = [], f"{PAGE}/history"
    while path:
        text = await site.text(path)
        seen += [n for n in range(4) if f"to text{n}" in text and n not in seen]
        older = text.partition(f'href="{PAGE}/history?until=')[2].partition('"')[0]
        path = f"{PAGE}/history?until={older}" if older else ""
    assert sorted(seen) == [0, 1, 2, 3]
    assert "created" in text, "the last page ends with the beginning"
