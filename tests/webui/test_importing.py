"""Files are taken in at the page: problems by row and column, a plan, then one change."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from control_units.client import Client
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import Form, form_in, submit
from tests.webui.magnets import declare_magnets
from webui.importing.document import MOST_BYTES

StartReplica = Callable[..., Awaitable[Replica]]
LOOK, APPLY = "/import", "/import/apply"
IDS = ("RING/MAG/Q1", "RING/MAG/Q2", "RING/MAG/Q3")
TABLE = "id;current;label:rack;template\nRING/MAG/Q1;12.5;A4;\nRING/MAG/Q4;;;Magnet\n"


@pytest.fixture
async def client(start_replica: StartReplica, sqlite_database: str) -> AsyncIterator[Client]:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, *IDS)
        yield client


@pytest.fixture
async def site(client: Client, open_site: OpenSite) -> Site:
    return await open_site(client.address)


async def values(client: Client) -> dict[str, str]:
    """The current of each magnet that has one of its own."""
    return {
        client.control_units.id(unit): override.default_value
        async for unit in client.control_units.list()
        for override in unit.overrides
        if override.attribute == "current"
    }


async def looked_at(site: Site, text: str, status: int = 200, **more: str) -> str:
    """Pastes a text, and asks what it means."""
    form = form_in(await site.text(LOOK), LOOK)
    return await submit(site, form, changed={"text": text, **more}, status=status)


async def sent(site: Site, page: str, status: int = 200, **more: str) -> str:
    """Sends the form of a plan by its button that does it."""
    form = form_in(page, LOOK)
    filled = Form(APPLY, form.method, form.fields, form.more)
    return await submit(site, filled, changed=more, status=status)


async def chosen(
    site: Site, name: str, data: bytes, /, status: int = 200, *, at: str = LOOK, **typed: str
) -> str:
    form = aiohttp.FormData()
    form.add_field(
        "file", io.BytesIO(data), filename=name, content_type="text/plain; charset=utf-7"
    )
    for field, value in ({"text": ""} | typed).items():
        form.add_field(field, value)
    async with site.http.post(at, data=form) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return text


async def test_a_table_is_shown_for_each_unit_and_then_is_one_change(
    client: Client, site: Site
) -> None:
    page = await looked_at(site, TABLE.replace("\n", "\r\n"))
    assert "1 to create, 1 to change, 0 to delete" in page
    assert "12.5" in page
    assert await values(client) == {}, "a plan writes nothing"
    page = await sent(site, page, reason="new racks")
    assert "Saved, as change" in page
    assert "new racks" in page
    assert await values(client) == {"RING/MAG/Q1": "12.5"}
    assert "0 to create, 0 to change" in await looked_at(site, TABLE)


async def test_one_problem_is_told_as_one(site: Site) -> None:
    page = await looked_at(site, "id;current\nRING/MAG/Q1;500\n", status=422)
    assert "1 problem:" in page
    for empty in ("id;current\n", "id;currentRING/MAG/Q1;5", "{}"):
        page = await looked_at(site, empty, status=422)
        assert "There is nothing in it to take" in page, empty


async def test_all_problems_are_told_by_row_and_column_and_the_rest_is_taken_only_if_asked_for(
    client: Client, site: Site
) -> None:
    text = (
        "id,current,template,levle\nRING/MAG/Q1,500,,\nRING/MAG/Q2,9,,\n"
        "RING/MAG/Q9,5,Magnt,\nb ad,1,,\n"
    )
    page = await looked_at(site, text, status=422)
    for row, column, value in (
        ("1", "levle", "levle"),
        ("2", "current", "500"),
        ("4", "template", "Magnt"),
        ("5", "id", "b ad"),
    ):
        cells = f'<th scope="row">{row}</th><td class="id">{column}</td><td class="id why">{value}<'
        assert cells in page, _main(page)
    assert "perhaps &#39;Magnet&#39;" in page
    assert form_in(page, LOOK).fields["text"] == text
    page = await sent(site, page, status=422)
    assert "Nothing was changed" in page
    await sent(site, page, skip="1")
    assert await values(client) == {"RING/MAG/Q2": "9"}


async def test_a_plan_that_has_moved_is_shown_anew_and_done_then(
    client: Client, site: Site
) -> None:
    page = await looked_at(site, TABLE)
    await _describe(client)
    page = await sent(site, page, status=412)
    assert "Nothing was changed" in page
    assert await values(client) == {}
    await sent(site, page)
    assert await values(client) == {"RING/MAG/Q1": "12.5"}
    unit = await client.control_units.get(IDS[0])
    assert unit.description == "someone else", "a row changes only what it says"


async def test_what_is_sent_again_as_nobody_answered_is_told_as_done(
    client: Client, site: Site
) -> None:
    page = await looked_at(site, TABLE)
    await sent(site, page)
    again = await sent(site, page, status=422)
    assert "This was sent before, and is done." in again
    assert "0 to create, 0 to change, 0 to delete" in again
    assert await values(client) == {"RING/MAG/Q1": "12.5"}


async def _describe(client: Client) -> None:
    unit = await client.control_units.get(IDS[0])
    unit.description = "someone else"
    await client.control_units.update(unit, reason="meanwhile")


async def test_a_file_is_told_by_what_it_holds_whatever_it_is_called(site: Site) -> None:
    exported = b'{"control_units": [{"id": "RING/MAG/Q7", "template": "Magnet"}]}'
    page = await chosen(site, "units.txt", exported)
    assert "1 to create" in page
    page = await chosen(site, "units.csv", TABLE.encode("utf-16"))
    assert "1 to create, 1 to change" in page
    assert form_in(page, LOOK).fields["name"] == "units.csv"
    page = await chosen(site, "units.csv", b"id,description\nA,S\xe4ule\n", status=422)
    assert "not UTF-8" in page
    page = await chosen(site, "broken.json", b'{"control_units": [', status=422)
    assert "is not closed" in page


@pytest.mark.parametrize("at", [LOOK, APPLY])
async def test_a_file_that_cannot_be_read_leaves_all_that_was_typed(site: Site, at: str) -> None:
    typed = {"text": TABLE, "name": "mine.csv", "reason": "<new> racks", "keep": "1", "skip": "1"}
    page = await chosen(site, "units.csv", b"id,description\nA,S\xe4ule\n", 422, at=at, **typed)
    assert "not UTF-8" in page
    kept = form_in(page, LOOK).fields
    assert {name: kept.get(name) for name in typed} == typed
    page = await submit(site, form_in(page, LOOK))
    assert form_in(page, LOOK).fields["reason"] == typed["reason"]


async def test_a_file_with_problems_leaves_what_was_typed_before_it_beside_its_own_text(
    site: Site,
) -> None:
    typed = {"text": TABLE, "reason": "new racks", "keep": "1"}
    page = await chosen(site, "broken.json", b'{"control_units": [', 422, **typed)
    kept = form_in(page, LOOK).fields
    assert (kept["text"], kept["aside"]) == ('{"control_units": [', TABLE)
    assert (kept["reason"], kept["keep"]) == ("new racks", "1")
    page = await submit(site, form_in(page, LOOK), status=422)
    assert form_in(page, LOOK).fields["aside"] == TABLE
    drawn = {name: form_in(page, LOOK).fields[name] for name in ("text", "drawn")}
    page = await chosen(site, "broken.json", b'{"unit_servers": [', 422, **drawn)
    assert "aside" not in form_in(page, LOOK).fields, "what the page has drawn was not typed"


async def test_a_text_with_what_is_no_text_comes_back(site: Site) -> None:
    page = await looked_at(site, "id\nRING/\0Q1\n", status=422)
    assert "U+0000" in page
    assert form_in(page, LOOK).fields["text"] == "id\nRING/\ufffdQ1\n"


async def test_what_was_ticked_and_why_stay_while_the_text_does(site: Site) -> None:
    text = "id,current\nRING/MAG/Q1,500\nRING/MAG/Q2,9\n"
    page = await looked_at(site, text, status=422)
    assert "skip" not in form_in(page, LOOK).fields
    ticked = {"reason": "racks", "skip": "1"}
    page = await submit(site, form_in(page, LOOK), changed=ticked, status=422)
    kept = form_in(page, LOOK).fields
    assert {name: kept.get(name) for name in ticked} == ticked
    other = {"text": f"{text}RING/MAG/Q3,700\n"}
    page = await submit(site, form_in(page, LOOK), changed=other, status=422)
    kept = form_in(page, LOOK).fields
    assert kept["reason"] == "racks"
    assert "skip" not in kept, "of other problems somebody says so anew"


async def test_what_is_too_large_is_said_and_what_is_large_travels_packed(site: Site) -> None:
    page = await chosen(site, "x.csv", b"x" * (MOST_BYTES + 2 * 1024 * 1024), status=413)
    assert "at most 8 MB" in page
    rows = "".join(f"N/{number},Magnet\n" for number in range(10_001))
    assert "things are more than this page takes" in await looked_at(
        site, f"id,template\n{rows}", status=413
    )
    rows = "".join(f"RING/MAG/M{number},Magnet,{'x' * 150}\n" for number in range(1_500))
    page = await looked_at(site, f"id,template,description\n{rows}")
    assert "1500 to create" in page
    fields = form_in(page, LOOK).fields
    assert fields["text"] == ""
    assert len(fields["packed"]) < 50_000
    page = await submit(site, form_in(page, LOOK), changed={"page": "14"})
    assert "1401 to 1500 of 1500" in page
    assert "RING/MAG/M1499" in page
    page = await sent(site, page, typed_count="15", status=422)
    assert "type the number" in page
    assert "Saved, as change" in await sent(site, page, typed_count="1500")
    broken = {"packed": "eJw=", "text": ""}
    await submit(site, form_in(await site.text(LOOK), LOOK), changed=broken, status=422)


async def test_a_silent_server_leaves_all_that_was_pasted_to_be_sent_again(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, *IDS)
        site = await open_site(replica.address)
        page = await looked_at(site, TABLE)
        replica.kill()
        page = await sent(site, page, status=503, reason="again")
        kept = form_in(page, LOOK).fields
        assert kept["text"] == TABLE
        assert kept["reason"] == "again"
        assert kept["plan"], "it can be sent again just so"


async def test_a_list_that_is_taken_as_a_table_is_taken_back(client: Client, site: Site) -> None:
    await sent(site, await looked_at(site, TABLE))
    table = await site.text("/control_units?format=table&q=zone%3DRING")
    assert table.splitlines()[0] == (
        "id,template,template_version,unit_server,desired_state,label:rack,current"
    )
    assert "0 to create, 0 to change, 0 to delete" in await looked_at(site, table)
    for format in ("csv", "json", "yaml"):
        page = await looked_at(site, await site.text(f"/control_units?format={format}"))
        assert "0 to create, 0 to change, 0 to delete" in page
        assert "4 are so already" in page


def _main(page: str) -> str:
    return page[page.index("<main") : page.index("</main")]
