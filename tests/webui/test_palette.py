"""The palette over HTTP: what can be done stands beside what is called so."""

import re
from collections.abc import Iterator

import pytest

from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.facility import declared_replica
from webui.frame.actions import begun_by, time_in


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    with declared_replica(tmp_path_factory.mktemp("palette"), 6) as replica:
        yield replica


@pytest.fixture
async def site(declared: Replica, open_site: OpenSite) -> Site:
    return await open_site(declared.address)


async def places(site: Site, q: str, **more: str) -> list[str]:
    """Where what is found leads to, above the page of a list."""
    headers = {"HX-Request": "true", "HX-Current-URL": f"{site.url}/control_units?q=zone%3DBTF"}
    async with site.http.get("/palette", params={"q": q, **more}, headers=headers) as answer:
        text = await answer.text()
        assert "<html" not in text
    return [each.replace("&amp;", "&") for each in re.findall(r'(?:href|action)="([^"]+)"', text)]


async def test_an_action_is_found_by_its_name(site: Site) -> None:
    assert "/operations/new" in await places(site, "")
    assert await places(site, "new order") == ["/operations/new"]
    assert await places(site, "snapshot") == ["/snapshots", "/snapshots/new"]
    assert await places(site, "maint") == ["/maintenances", "/maintenances/new"]
    assert "/?wall" in await places(site, "wall")
    assert await places(site, "dark") == ["/theme"]
    assert await places(site, "2026-11-15 03:12") == [
        "/as_of?time=2026-11-15T03%3A12&back=%2Fcontrol_units%3Fq%3Dzone%253DBTF"
    ]


async def test_a_word_and_a_name_are_an_action_on_what_is_called_so(site: Site) -> None:
    assert await places(site, "stop ps000") == [
        f"/operations/new?verb=stop&id={zone}%2FMAG%2FPS000{number}"
        for zone, number in (("BTF", 2), ("BTF", 5), ("DAFNE", 0), ("DAFNE", 3), ("LINAC", 1), ("LINAC", 4))
    ]  # fmt: skip
    assert await places(site, "rest linac mag") == [
        "/launches/new?how=restart&unit_server=LINAC%2FMAGNETS"
    ]
    assert await places(site, "log btf") == ["/unit_servers/BTF/MAGNETS/log"]
    # Nothing is called so: then it is no action.
    assert await places(site, "start nothing") == []


async def test_of_the_only_one_that_is_found_it_tells_what_can_be_done(site: Site) -> None:
    found = await places(site, "ps0001")
    assert "/control_units/LINAC/MAG/PS0001/edit" in found
    assert "/operations/new?verb=recover&id=LINAC%2FMAG%2FPS0001" in found
    assert found[0] == "/control_units/LINAC/MAG/PS0001", "its page, before any order"
    assert len(await places(site, "ps000")) == 6


async def test_in_the_past_nothing_is_offered_that_changes_something(site: Site) -> None:
    found = await places(site, "ps0001", as_of="1")
    assert [each.partition("?")[0] for each in found] == [
        "/control_units/LINAC/MAG/PS0001",
        "/control_units/LINAC/MAG/PS0001/history",
    ]
    assert "/operations/new?as_of=1" not in await places(site, "new", as_of="1")
    assert any(each.startswith("/as_of?back=") for each in await places(site, "now", as_of="1"))


@pytest.mark.parametrize(
    ("q", "begun"),
    [
        ("stop Q1", ("stop", "Q1")),
        ("sto RING Q1", ("sto", "RING Q1")),
        ("stop", ("", "stop")),
        ("s Q1", ("", "s Q1")),
        ("ring stop", ("", "ring stop")),
    ],
)
def test_the_first_word_may_be_an_action(q: str, begun: tuple[str, str]) -> None:
    assert begun_by(q) == begun


@pytest.mark.parametrize(
    ("q", "time"),
    [
        ("08:30", "2026-11-22T08:30"),
        ("8:30", "2026-11-22T08:30"),
        ("2026-11-15", "2026-11-15T00:00"),
        ("2026-11-15T03:12:07", "2026-11-15T03:12:07"),
        ("now", ""),
        ("", ""),
        ("12", ""),
    ],
)
def test_a_time_is_known_by_its_shape(q: str, time: str) -> None:
    assert time_in(q, "2026-11-22") == time
