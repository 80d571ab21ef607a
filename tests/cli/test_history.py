"""What was, who made it so, and the ways back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended, Mds, run_mds
from tests.cli.facilities import site, units


def told(ended: Ended) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.fixture
async def changed(mds: Mds, tmp_path: Path) -> Mds:
    """The command line, beside a server with a laboratory (revision 1) in which carla has
    raised a maximum (revision 2)."""
    await change(mds, tmp_path)
    return mds


@pytest.fixture(scope="module")
def lastingly_changed(lasting_mds: Mds, tmp_path_factory: pytest.TempPathFactory) -> Mds:
    """The same, for tests that only read."""
    asyncio.run(change(lasting_mds, tmp_path_factory.mktemp("laboratory")))
    return lasting_mds


async def change(mds: Mds, folder: Path) -> None:
    assert (await mds("apply", str(site(folder)), "--yes", "--reason", "first light")).code == 0
    higher = units("LAB/A", maximum="45").encode()
    who = ("--as", "carla@desk")
    ended = await mds(*who, "apply", "-", "--yes", "--reason", "hotter", stdin=higher)
    assert ended.code == 0, ended.err


async def maximum(mds: Mds) -> str:
    exported = told(await mds("export", "-o", "json", "--prefix", "LAB/A"))
    found: str = exported["control_units"][0]["overrides"][0]["maximum"]
    return found


async def test_history_tells_who_what_when_and_why(lastingly_changed: Mds) -> None:
    mds = lastingly_changed
    newest, first = told(await mds("history", "LAB/A", "-o", "json"))
    assert (newest["revision"], newest["author"], newest["reason"]) == (2, "carla@desk", "hotter")
    assert newest["client"].startswith("mds/")
    assert newest["differences"] == [
        {"path": "overrides[current].maximum", "before": "40", "after": "45"}
    ]
    assert (first["revision"], first["action"]) == (1, "CREATED")
    text = (await mds("history", "control_units/LAB/A", "--limit", "1")).out
    assert "“hotter”" in text
    assert "overrides[current].maximum  40 → 45" in text
    assert "“first light”" not in text


async def test_change_sets_are_listed_by_author_and_time(changed: Mds) -> None:
    everything = told(await changed("changes", "-o", "json"))
    assert [each["revision"] for each in everything] == ["2", "1"]
    assert everything[1]["created"] == "5"
    of_carla = told(await changed("changes", "--author", "carla@desk", "-o", "json"))
    assert [each["revision"] for each in of_carla] == ["2"]
    assert told(await changed("changes", "--until", "1d", "-o", "json")) == []
    assert [
        each["revision"] for each in told(await changed("changes", "--since", "2", "-o", "json"))
    ] == ["2"]
    lines = (await changed("changes")).out.splitlines()
    assert lines[0].startswith("revision\ttime\tauthor\treason")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["LAB/A@1"], ["control_units/LAB/A"]),
        (["LAB/A@1", "LAB/A@2"], ["control_units/LAB/A"]),
        (["LAB/B@1"], []),
        (["@1", "@now"], ["control_units/LAB/A"]),
        (["@1", "--select", "zone=LAB"], ["control_units/LAB/A"]),
        (["@1", "--select", "prefix=LAB/B"], []),
        (["@1", "--select", "kind=templates"], []),
        (["@1", "--select", "unit_server=LAB/SERVER"], ["control_units/LAB/A"]),
    ],
)
async def test_two_moments_are_compared(
    lastingly_changed: Mds, *, arguments: list[str], names: list[str]
) -> None:
    found = told(await lastingly_changed("diff", *arguments, "-o", "json"))
    assert [each["name"] for each in found["differences"]] == names
    ended = await lastingly_changed("diff", *arguments, "--exit-code")
    assert ended.code == bool(names)
    assert ("40 → 45" in ended.out) == bool(names)


async def test_a_comparison_that_makes_no_sense_is_wrong_use() -> None:
    for wrong in (
        ["LAB/A"],
        ["LAB/A@1", "LAB/B@2"],
        ["@now"],
        ["@yesterday"],
        ["LAB/A@1", "--select", "zone=LAB"],
        ["@1", "--select", "colour=red"],
        ["@1", "--select", "kind=units"],
    ):
        assert (await run_mds("diff", *wrong)).code == 2, wrong


async def test_an_undo_takes_back_and_tells_how_to_do_it_again(changed: Mds) -> None:
    dry = await changed("undo", "2", "--dry-run")
    assert "overrides[current].maximum  45 → 40" in dry.out
    assert await maximum(changed) == "45"
    done = await changed("undo", "2", "--yes", "--reason", "too hot")
    assert done.code == 0, done.err
    assert "mds undo 3" in done.out
    assert await maximum(changed) == "40"
    assert (await changed("undo", "last", "--yes")).code == 0
    assert await maximum(changed) == "45"
    nobody = await changed("--as", "nobody@desk", "undo", "last", "--yes")
    assert (nobody.code, "nobody@desk has changed nothing" in nobody.err) == (1, True)


async def test_an_undo_that_others_stand_in_the_way_of_names_them(changed: Mds) -> None:
    again = units("LAB/A", maximum="48").encode()
    await changed("--as", "marco@desk", "apply", "-", "--yes", "--reason", "more", stdin=again)
    ended = await changed("undo", "2", "--yes")
    assert ended.code == 1
    assert "CHANGED_SINCE" in ended.err
    assert "marco@desk changed it meanwhile: more" in ended.err
    assert "overrides[current].maximum" in ended.err
    assert await maximum(changed) == "48"


async def test_a_revert_makes_a_resource_what_it_was(changed: Mds) -> None:
    ended = await changed("revert", "LAB/A@1", "--yes", "--reason", "as before")
    assert ended.code == 0, ended.err
    assert "overrides[current].maximum  45 → 40" in ended.out
    assert await maximum(changed) == "40"
    assert "Nothing to do." in (await changed("revert", "LAB/A@1", "--yes")).out
    for wrong in ("LAB/A", "@1", "LAB/A@now"):
        assert (await changed("revert", wrong, "--yes")).code == 2


async def test_deleting_tells_what_depends_and_is_taken_back_in_one_command(changed: Mds) -> None:
    refused = await changed("delete", "unit_servers/LAB/SERVER", "--yes")
    assert refused.code == 1
    assert "control_units/LAB/A" in refused.out
    missing = await changed("delete", "LAB/NONE", "--yes")
    assert (missing.code, "There is no control unit 'LAB/NONE'." in missing.out) == (1, True)
    done = await changed("delete", "LAB/A", "LAB/B", "--yes")
    assert "mds undo 3" in done.out
    assert len(told(await changed("list", "-o", "json"))) == 1
    assert (await changed("undo", "3", "--yes")).code == 0
    assert len(told(await changed("list", "-o", "json"))) == 3


async def test_the_past_is_listed_shown_and_exported(changed: Mds) -> None:
    await changed("delete", "LAB/A", "LAB/B", "--yes")
    listed = told(await changed("list", "--as-of", "1", "-o", "json"))
    assert [unit["name"].partition("/")[2] for unit in listed] == ["LAB/A", "LAB/B", "LAB/C"]
    shown = told(await changed("show", "LAB/A", "--as-of", "1", "-o", "json"))
    assert shown["overrides"][0]["maximum"] == "40"
    exported = told(await changed("export", "--as-of", "2", "-o", "json"))
    assert exported["control_units"][0]["overrides"][0]["maximum"] == "45"
    assert (await changed("list", "--as-of", "soon")).code == 2


async def test_a_renamed_unit_is_found_under_both_names(changed: Mds) -> None:
    ended = await changed("rename", "LAB/A", "LAB/RING/A", "--reason", "as in the drawings")
    assert ended.code == 0, ended.err
    for name in ("LAB/A", "LAB/RING/A"):
        newest, *older = told(await changed("history", name, "-o", "json"))
        assert newest["name"] == "control_units/LAB/RING/A"
        assert newest["former_name"] == "control_units/LAB/A"
        assert len(older) == 2
    assert "was LAB/A" in (await changed("history", "LAB/RING/A")).out
    await changed("undo", "3", "--yes")
    listed = told(await changed("list", "-o", "json"))
    assert listed[0]["name"] == "control_units/LAB/A"


async def test_a_copy_is_declared_as_its_original(changed: Mds) -> None:
    assert "Nothing was written" in (await changed("copy", "LAB/A", "LAB/D", "--dry-run")).out
    ended = await changed("copy", "LAB/A", "LAB/D")
    assert ended.code == 0, ended.err
    assert "mds undo 3" in ended.out
    copy = told(await changed("show", "LAB/D", "-o", "json"))
    assert copy["overrides"][0]["maximum"] == "45"
    assert (await changed("copy", "LAB/A", "LAB/B")).code == 1
