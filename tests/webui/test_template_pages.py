"""The page of a template: versions are begun, published, and units moved to them by ticks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from mds.v1.template_pb2 import VersionState

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import form_in, submit
from tests.webui.magnets import declare_magnets

StartReplica = Callable[..., Awaitable[Replica]]
PAGE = "/templates/Magnet"
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


async def narrow(client: Client, maximum: str) -> None:
    """Has the template, or its draft, allow less current."""

    def edit(template: Any) -> None:
        next(each for each in template.attributes if each.name == "current").maximum = maximum

    await client.templates.change("Magnet", edit)


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


async def test_a_draft_that_is_thrown_away_can_come_back(client: Client, site: Site) -> None:
    text = await submit(site, form_in(await site.text(PAGE), f"{PAGE}/draft"))
    text = await submit(site, form_in(text, f"{PAGE}/discard"))
    assert "Saved, as change" in text
    assert (await client.templates.get("Magnet")).version == 1


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
    text = await site.text(f"{PAGE}/rebase?version=2")
    form = form_in(text, f"{PAGE}/rebase")
    ticked = [form.fields["unit"], *(value for name, value in form.more if name == "unit")]
    assert ticked == [f"control_units/{id}" for id in IDS[:2]], "what stands against it waits"
    assert "conflict" in text
    assert "right would be at most 60" in text

    form.more.clear()
    await submit(site, form, changed={"unit": f"control_units/{IDS[0]}", "reason": "try one"})
    assert await versions(client) == {"Q1": 2, "Q2": 1, "Q3": 1}

    form = form_in(await site.text(f"{PAGE}/rebase?version=2"), f"{PAGE}/rebase")
    text = await submit(site, form, changed={"unit": f"control_units/{IDS[2]}"}, status=422)
    assert "Nothing was moved" in text
    again = form_in(text, f"{PAGE}/rebase")
    changed = {"unit": f"control_units/{IDS[2]}", "drop_conflicting": "1"}
    await submit(site, again, changed=changed)
    assert await versions(client) == {"Q1": 2, "Q2": 1, "Q3": 2}
