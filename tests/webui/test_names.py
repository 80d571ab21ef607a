import re
from collections.abc import Awaitable, Callable

import pytest

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite
from tests.webui.magnets import declare_magnets
from webui.names import WORDS, id_of, page_of

StartReplica = Callable[..., Awaitable[Replica]]


@pytest.mark.parametrize(
    ("name", "id", "page"),
    [
        ("control_units/A/B/C", "A/B/C", "/control_units/A/B/C"),
        ("unit_servers/c8:1f:66", "c8:1f:66", "/unit_servers/c8%3A1f%3A66"),
        ("control_units/A+B", "A+B", "/control_units/A%2BB"),
        ("control_units/A/edit", "A/edit", "/control_units/A/edit/"),
        ("templates/new", "new", "/templates/new/"),
    ],
)
def test_a_name_has_an_id_and_a_page(name: str, id: str, page: str) -> None:
    assert (id_of(name), page_of(name)) == (id, page)


async def test_every_page_about_a_resource_ends_in_a_word_that_is_known(
    open_site: OpenSite,
) -> None:
    site = await open_site()
    assert site.runner.app is not None
    addresses = {each.canonical for each in site.runner.app.router.resources()}
    ends = {
        (found[1], found[2])
        for each in addresses
        if (found := re.fullmatch(r"/([a-z_]+)(?:/\{id\})?/([a-z_]+)", each))
    }
    ends = {(kind, word) for kind, word in ends if f"/{kind}/{{id}}" in addresses}
    assert ("control_units", "edit") in ends
    assert {word for _, word in ends} - WORDS == set()


async def test_a_unit_whose_id_ends_in_such_a_word_has_all_its_pages(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, "RING/Q1", "RING/Q1/edit", "RING/Q1/edit/history")
    site = await open_site(replica.address)
    assert 'href="/control_units/RING/Q1/edit/"' in await site.text("/control_units")
    for id in ("RING/Q1", "RING/Q1/edit", "RING/Q1/edit/history"):
        page = page_of(f"control_units/{id}")
        shown = f'data-shows="control_units/{id}"'
        assert shown in await site.text(page)
        for word in ("edit", "history"):
            text = await site.text(f"{page}/{word}")
            assert f">{id}<" in text
            assert shown not in text or word == "edit"
