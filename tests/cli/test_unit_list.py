"""`mds unit-list`: saved, used, changed, deleted."""

from pathlib import Path

from tests.cli.conftest import Mds
from tests.cli.test_import import small_facility, write


async def test_a_list_is_saved_used_changed_and_deleted(mds: Mds, tmp_path: Path) -> None:
    await mds("import", "chaos", str(write(tmp_path, small_facility())))
    saved = await mds("unit-list", "create", "night", "A/B/1", "--description", "rounds")
    assert (saved.code, saved.out) == (0, "night holds A/B/1. Select it with: --list night\n")
    headers, row = (await mds("unit-list", "list")).out.splitlines()
    assert headers.split("\t") == ["id", "holds", "what for"]
    assert row.split("\t") == ["night", "A/B/1", "rounds"]
    for selection in (("--list", "night"), ("--select", "list=night")):
        plan = await mds("edit", *selection, "--set", "labels[x]=1", "--dry-run")
        assert "A/B/1" in plan.out
        assert "1 to change" in plan.out
    missing = await mds("edit", "--list", "day", "--set", "labels[x]=1", "--yes")
    assert (missing.code, "UNIT_LIST_NOT_FOUND" in missing.err) == (1, True)
    none = await mds("unit-list", "remove", "night", "A/B/2")
    assert (none.code, "does not name A/B/2" in none.err) == (1, True)
    await mds("unit-list", "add", "night", "A/B/1")
    assert "A/B/1" in (await mds("unit-list", "show", "night")).out
    assert (await mds("unit-list", "delete", "night")).out == "night is deleted.\n"
    assert (await mds("unit-list", "list")).err == "No list has been saved.\n"


async def test_a_list_of_zones_and_labels_says_so(mds: Mds) -> None:
    saved = await mds("unit-list", "create", "l", "--zone", "A/B", "--label", "plane=x")
    assert saved.out.startswith("l holds A/B/ with plane=x.")
    saved = await mds("unit-list", "create", "m", "--label", "plane=x")
    assert saved.out.startswith("m holds all with plane=x.")
    nothing = await mds("unit-list", "create", "n")
    assert (nothing.code, "Name units" in nothing.err) == (2, True)


async def test_a_list_of_a_filter_holds_what_passes_it_when_it_is_used(
    mds: Mds, tmp_path: Path
) -> None:
    await mds("import", "chaos", str(write(tmp_path, small_facility())))
    saved = await mds("unit-list", "create", "silent", "--filter", "zone=A contact=NONE")
    assert saved.out.startswith("silent holds all with zone=A contact=NONE.")
    told = await mds("edit", "--list", "silent", "--set", "description=x", "--dry-run")
    assert (told.code, "A/B/1" in told.out + told.err) == (0, True)
    wrong = await mds("unit-list", "create", "other", "--filter", "zon=A")
    assert (wrong.code, 'did you mean "zone"' in wrong.err) == (1, True)
