"""Many units are deleted: what that means and whom it hits first, then in one change or in pieces."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import form_in, plan_at, submit
from tests.webui.magnets import declare_magnets
from webui.datasets import deleting
from webui.datasets.pieces import first_of

StartReplica = Callable[..., Awaitable[Replica]]
MAGNETS = ("RING/MAG/Q1", "RING/MAG/Q2")


@pytest.fixture
async def client(start_replica: StartReplica, sqlite_database: str) -> AsyncIterator[Client]:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, *MAGNETS)
        yield client


@pytest.fixture
async def site(client: Client, open_site: OpenSite) -> Site:
    return await open_site(client.address)


async def plan_to_delete(site: Site, query: str) -> str:
    """What announces it, then the plan."""
    return await plan_at(site, f"/datasets/delete?{query}")


async def need(client: Client, id: str, *required: str) -> None:
    def edit(unit: Any) -> None:
        unit.requires.extend(f"control_units/{each}" for each in required)

    await client.control_units.change(id, edit)


async def test_many_are_deleted_as_one_change_once_their_number_is_typed(
    client: Client, site: Site
) -> None:
    more = [f"RING/COR/C{number:02}" for number in range(12)]
    await declare_magnets(client, *more)
    form = form_in(await plan_to_delete(site, "filter=id:RING/COR/*"), "/datasets/delete")
    text = await submit(site, form, changed={"typed_count": "11"}, status=422)
    assert "Nothing was deleted" in text
    again = form_in(text, "/datasets/delete")
    text = await submit(site, again, changed={"typed_count": "12"})
    assert "12 deleted" in text
    assert [each.name async for each in client.control_units.list(id_prefix="RING/COR/")] == []


async def test_more_than_one_change_takes_are_deleted_in_pieces(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "MOST", 5)
    await declare_magnets(client, *(f"RING/COR/C{number:02}" for number in range(12)))
    text = await plan_to_delete(site, "filter=id:RING/COR/*")
    assert "12 control units would be deleted" in text
    assert "One change deletes 5 at most, so it takes 3" in text
    form = form_in(text, "/datasets/delete")
    text = await submit(site, form, changed={"typed_count": "12", "reason": "replaced"})
    for done in (5, 10):
        assert f"{done} of 12 control units" in text
        assert 'data-again="1"' in text
        text = await submit(site, form_in(text, "/datasets/delete"))
    assert "12 of 12 control units" in text
    assert "data-again" not in text
    changes = re.findall(r'href="(/change_sets/\d+)"', text)
    pages = [await site.text(each) for each in changes]
    assert ["replaced" in page for page in pages] == [True] * 3
    assert [e.name async for e in client.control_units.list(id_prefix="RING/COR/")] == []


async def test_pieces_that_are_deleted_are_told_when_nobody_answers_about_the_next_one(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "MOST", 5)
    await declare_magnets(client, *(f"RING/COR/C{number:02}" for number in range(11)))
    form = form_in(await plan_to_delete(site, "filter=id:RING/COR/*"), "/datasets/delete")
    answered = 1

    async def lose_the_network(*what: Any, **how: Any) -> Any:
        nonlocal answered
        answered -= 1
        if answered < 0:
            raise TimeoutError
        return await first_of(*what, **how)

    with monkeypatch.context() as network:
        network.setattr(deleting, "first_of", lose_the_network)
        text = await submit(site, form, changed={"typed_count": "11"}, status=503)
        # The next one is not even begun when the page is sent again.
        again = await submit(site, form_in(text, "/datasets/delete"), status=503)
    for page in (text, again):
        assert "<h1>5 of 11 are deleted; try again for the rest</h1>" in page
        assert "may have been saved" not in page
    text = await submit(site, form_in(again, "/datasets/delete"))
    assert "5 of 11 control units" in text


async def test_whoever_requires_any_of_many_is_told_before_they_are_deleted(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    correctors = [f"RING/COR/C{number:03}" for number in range(120)]
    await declare_magnets(client, *correctors)
    await need(client, MAGNETS[0], correctors[0], correctors[119])
    await need(client, MAGNETS[1], correctors[110])
    await need(client, correctors[1], correctors[0])
    ids = "&".join(f"id={each}" for each in correctors)
    for query in (ids, "filter=id:RING/COR/*"):
        text = await plan_to_delete(site, query)
        assert "2 units require what would be deleted" in text, query

    monkeypatch.setattr(deleting, "MOST", 50)
    text = await plan_to_delete(site, "filter=id:RING/COR/*")
    assert "2 units require what would be deleted" in text, "also of pieces that come later"
    assert "require what would be deleted" not in await plan_to_delete(site, "all=1")

    monkeypatch.setattr(deleting, "MOST_SHOWN", 1)
    text = await plan_to_delete(site, "filter=id:RING/COR/*")
    assert "2 units require what would be deleted" in text
    required = text.partition('aria-label="Require what')[2].partition("</section>")[0]
    assert "and 1 more" in required


async def test_what_is_sent_twice_is_deleted_once_and_said_to_be_done(
    client: Client, site: Site
) -> None:
    await declare_magnets(client, "RING/COR/C00", "RING/COR/C01")
    form = form_in(await plan_to_delete(site, "filter=id:RING/COR/*"), "/datasets/delete")
    assert "2 deleted" in await submit(site, form)
    text = await submit(site, form, status=422)
    assert "This was sent before, and is done." in text
    assert "There is nothing to delete" in text


async def test_what_comes_while_pieces_are_deleted_is_not_deleted_unseen(
    client: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "MOST", 5)
    await declare_magnets(client, *(f"RING/COR/C{number:02}" for number in range(11)))
    form = form_in(await plan_to_delete(site, "filter=id:RING/COR/*"), "/datasets/delete")
    text = await submit(site, form, changed={"typed_count": "11"})
    await declare_magnets(client, "RING/COR/D00", "RING/COR/D01")
    text = await submit(site, form_in(text, "/datasets/delete"), status=422)
    assert "More units are chosen by now than you have confirmed" in text
    assert "3 control units would be deleted" in text
