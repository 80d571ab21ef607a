"""Lists over HTTP, as they are without JavaScript, of a real server."""

import csv
import io
import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest

from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.facility import declared_replica, unit_id
from webui.lists.kinds import KINDS

UNITS = 230


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """A facility that no test changes."""
    with declared_replica(tmp_path_factory.mktemp("lists"), UNITS) as replica:
        yield replica


@pytest.fixture
async def site(declared: Replica, open_site: OpenSite) -> Site:
    return await open_site(declared.address)


def ids_in(page: str) -> list[str]:
    return re.findall(r'data-name="control_units/([^"]+)"', page)


def link(page: str, words: str) -> str:
    """Where the first link that says so leads."""
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>{re.escape(words)}', page)
    assert found, f"no link {words!r}"
    return found[1].replace("&amp;", "&")


async def test_every_list_is_drawn_from_a_server_with_nothing_of_its_own(site: Site) -> None:
    for kind in KINDS:
        page = await site.text(f"/{kind.path}")
        assert "<h1" in page
        assert 'id="list"' in page
    assert "host-1" in await site.text("/agents")
    assert "declared for a test" in await site.text("/changes")
    assert "DAFNE/MAGNETS" in await site.text("/unit_servers")


@pytest.mark.parametrize("part", ["", "?fragment=list"])
async def test_pages_and_parts_of_them_travel_compressed(site: Site, part: str) -> None:
    async with site.http.get(f"/control_units{part}") as answer:
        assert answer.headers["Content-Encoding"] in {"gzip", "deflate"}
        assert int(answer.headers["Content-Length"]) < len(await answer.text()) / 5


async def test_pages_follow_one_another_and_lead_back(site: Site) -> None:
    everything = sorted(map(unit_id, range(UNITS)))
    first = await site.text("/control_units")
    assert ids_in(first) == everything[:100]
    assert "there are more" in first
    second = await site.text(link(first, "Next page"))
    assert ids_in(second) == everything[100:200]
    third = await site.text(link(second, "Next page"))
    assert ids_in(third) == everything[200:]
    assert "Next page" not in third
    assert ids_in(await site.text(link(third, "Previous"))) == everything[100:200]
    assert ids_in(await site.text(link(third, "First page"))) == everything[:100]


async def test_the_address_says_filter_order_size_and_columns(site: Site) -> None:
    address = "/control_units?q=zone%3DLINAC&sort=-id&size=50&columns=id,labels"
    page = await site.text(address)
    linac = sorted((i for i in map(unit_id, range(UNITS)) if i.startswith("LINAC")), reverse=True)
    assert ids_in(page) == linac[:50]
    assert 'aria-sort="descending"' in page
    assert "row=" in page
    assert ">Verdict<" not in page
    following = await site.text(link(page, "Next page"))
    assert ids_in(following) == linac[50:]
    assert ">Verdict<" not in following


async def test_units_are_sorted_by_their_unit_servers_and_templates(site: Site) -> None:
    everything = [unit_id(n) for n in range(UNITS)]
    by_server = sorted(everything, key=lambda id: (id.partition("/")[0], id), reverse=True)
    first = await site.text("/control_units?sort=-unit_server")
    assert ids_in(first) == by_server[:100]
    assert ids_in(await site.text(link(first, "Next page"))) == by_server[100:200]
    cameras = sorted(everything[::5])
    by_template = cameras + sorted(set(everything) - set(cameras))
    assert ids_in(await site.text("/control_units?sort=template")) == by_template[:100]


@pytest.mark.parametrize("as_of", ["", "1"])
async def test_every_list_is_sorted_by_each_column_that_offers_it(site: Site, as_of: str) -> None:
    for kind in KINDS:
        if kind.base and as_of:
            continue  # which conditions held then is not known
        for column in kind.columns:
            if column.sort and (column.is_past or not as_of):
                address = f"/{kind.path}?fragment=names&size=50&sort=-{column.sort}"
                json.loads(await site.text(f"{address}&as_of={as_of}" if as_of else address))


async def test_columns_that_were_chosen_are_remembered(site: Site) -> None:
    chosen = "/control_units?column=id&column=description"
    async with site.http.get(chosen) as answer:
        assert "SameSite=Lax" in answer.headers["Set-Cookie"]
        kept = answer.headers["Set-Cookie"].partition(";")[0]
    async with site.http.get("/control_units", headers={"Cookie": kept}) as answer:
        page = await answer.text()
    assert "number 3" in page
    assert '<th scope="col" class="">State' not in page


async def test_a_list_as_of_a_moment_shows_the_past_and_offers_nothing_to_do(site: Site) -> None:
    page = await site.text("/control_units?as_of=1&size=50")
    assert ids_in(page) == sorted(map(unit_id, range(UNITS)))[:50]
    assert "data-tick" not in page
    assert "as_of=1" in link(page, "Next page")
    assert ids_in(await site.text(link(page, "Next page")))[0] == ids_in(page)[-1][:-4] + "0152"


async def test_a_wrong_filter_is_marked_where_it_is_wrong_and_mended_by_a_click(
    site: Site,
) -> None:
    page = await site.text("/control_units?q=zone%3DLINAC+staet%3DRUNNING", status=400)
    assert "<mark>staet</mark>" in page
    mended = link(page, "zone=LINAC state=RUNNING")
    assert "Nothing matches" in await site.text(mended)


async def test_what_is_wrong_is_told_to_a_part_of_the_page_without_an_error(site: Site) -> None:
    async with site.http.get(
        "/conditions?q=zone%3DX+staet%3D1", headers={"HX-Request": "true"}
    ) as answer:
        text = await answer.text()
        assert answer.status == 200
    assert "<mark>staet</mark>" in text
    assert "<html" not in text


async def test_a_page_token_of_another_list_leads_to_the_first_page(site: Site) -> None:
    page = await site.text("/control_units?page=nonsense", status=400)
    assert link(page, "Start from the first page") == "/control_units"


async def test_rows_are_read_again_by_name_and_say_when_they_have_left(site: Site) -> None:
    names = "&".join(f"name=control_units/{unit_id(n)}" for n in (0, 1, 2))
    rows = await site.text(f"/control_units?fragment=rows&q=zone%3DLINAC&{names}")
    assert set(ids_in(rows)) == set(map(unit_id, range(3)))
    left = re.findall(r'class="[^"]*left"[^>]*data-name="control_units/([^"]+)"', rows)
    assert set(left) == {unit_id(0), unit_id(2)}
    assert "<html" not in rows


async def test_an_address_may_name_all_units_of_the_largest_page(site: Site) -> None:
    names = "&".join(f"name=control_units/{unit_id(n % UNITS)}" for n in range(500))
    rows = await site.text(f"/control_units?fragment=rows&{names}")
    assert set(ids_in(rows)) == set(map(unit_id, range(UNITS)))


async def test_the_first_page_is_told_in_names(site: Site) -> None:
    names = json.loads(await site.text("/control_units?fragment=names&size=50"))
    assert names == [f"control_units/{i}" for i in sorted(map(unit_id, range(UNITS)))[:50]]


async def test_all_that_match_are_counted(site: Site) -> None:
    linac = [i for i in map(unit_id, range(UNITS)) if i.startswith("LINAC")]
    for path, count in (
        ("/control_units?fragment=count&q=zone%3DLINAC", len(linac)),
        ("/control_units?fragment=count", UNITS),
        ("/conditions?fragment=count", 0),
    ):
        assert json.loads(await site.text(path)) == {"count": count}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sta", "state="),
        ("zone=LINAC -mai", "zone=LINAC -maintenance"),
        ("state=RUN", "state=RUNNING"),
        ("state=RUNNING,STO", "state=RUNNING,STOPPED"),
        ("template=Pow", "template=PowerSupply"),
        ("unit_server=BT", "unit_server=BTF/MAGNETS"),
        ("(id=LINAC/MAG/PS000", "(id=LINAC/MAG/PS0001"),
    ],
)
async def test_a_filter_that_is_being_typed_is_gone_on_with(
    site: Site, text: str, expected: str
) -> None:
    async with site.http.get(
        "/control_units", params={"fragment": "suggest", "text": text}
    ) as answer:
        assert f'data-text="{expected}' in await answer.text()


async def test_files_hold_all_that_passes_in_the_columns_that_are_shown(site: Site) -> None:
    asked = "/control_units?q=zone%3DDAFNE,LINAC&sort=-id&columns=id,description"
    expected = sorted((i for i in map(unit_id, range(UNITS)) if i[0] in "DL"), reverse=True)
    table = list(csv.reader(io.StringIO(await site.text(f"{asked}&format=csv"))))
    assert table[0] == ["id", "description"]
    assert [row[0] for row in table[1:]] == expected
    assert [row[1] for row in table if row[0] == unit_id(1)] == ["'=cmd()"]
    plain = json.loads(await site.text(f"{asked}&format=json"))
    assert [each["name"] for each in plain] == [f"control_units/{i}" for i in expected]
    tree = ET.fromstring(await site.text(f"{asked}&format=votable"))
    assert len(tree.findall(".//{*}TR")) == len(expected)
    assert (await site.text(f"{asked}&format=yaml")).count("\n- name: ") == len(expected) - 1


async def test_a_file_of_nothing_is_a_file(site: Site) -> None:
    assert json.loads(await site.text("/control_units?q=id%3Dno&format=json")) == []
    assert (await site.text("/control_units?q=id%3Dno&format=yaml")).strip() == "[]"
