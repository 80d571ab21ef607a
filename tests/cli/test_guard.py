"""`mds mode` and `mds guard`: modes set, changes forbidden, and free again."""

from pathlib import Path

from tests.cli.conftest import Mds
from tests.cli.test_import import small_facility, write

GUARD = ("guard", "create", "beam", "--machine", "M", "--in", "BEAM", "--reason", "stored beam")
EDIT = ("edit", "A/B/1", "--set", "description=new", "--yes")


async def declare(mds: Mds, tmp_path: Path) -> None:
    await mds("import", "chaos", str(write(tmp_path, small_facility())))
    created = await mds("mode", "create", "M", "ACCESS", "BEAM", "--description", "the ring")
    assert (created.code, created.out) == (0, "M is ACCESS; it may be ACCESS, BEAM.\n")


async def test_what_a_guard_forbids_is_refused_until_the_mode_allows_it(
    mds: Mds, tmp_path: Path
) -> None:
    await declare(mds, tmp_path)
    created = await mds(*GUARD, "--forbid", "everything", "--zone", "A")
    assert (created.code, created.out) == (0, "beam forbids everything in BEAM.\n")
    assert (await mds(*EDIT)).code == 0
    begun = await mds("mode", "set", "M", "BEAM", "--reason", "injection")
    assert (begun.code, begun.out) == (0, "M is BEAM. In force: beam.\n")
    refused = await mds("edit", "A/B/1", "--clear", "description", "--yes")
    assert refused.code == 1
    said = refused.out + refused.err
    assert "guards/beam forbids it while machine_modes/M is BEAM until it is ACCESS" in said
    await mds("mode", "set", "M", "ACCESS", "--reason", "dump")
    assert (await mds("edit", "A/B/1", "--clear", "description", "--yes")).code == 0


async def test_a_dry_run_tells_what_a_guard_forbids(mds: Mds, tmp_path: Path) -> None:
    await declare(mds, tmp_path)
    await mds(*GUARD, "--forbid", "orders", "--prefix", "A/B/")
    await mds("mode", "set", "M", "BEAM", "--reason", "injection")
    order = ("edit", "A/B/1", "--set", "desired_state=LOADED", "--dry-run")
    told = await mds(*order)
    assert told.code == 1
    assert "guards/beam forbids it" in told.out + told.err


async def test_modes_and_guards_are_listed_shown_and_deleted(mds: Mds, tmp_path: Path) -> None:
    await declare(mds, tmp_path)
    await mds(*GUARD, "A/B/1", "--forbid", "orders", "--forbid", "moves", "--label", "safety=yes")
    headers, row = (await mds("guard", "list")).out.splitlines()
    assert headers.split("\t") == ["id", "machine", "in", "forbids", "of", "in force", "why"]
    assert row.split("\t") == [
        "beam", "M", "BEAM", "moves, orders", "A/B/1 of safety=yes", "no", "stored beam",
    ]  # fmt: skip
    await mds("mode", "set", "M", "BEAM", "--reason", "injection")
    headers, row = (await mds("mode", "list")).out.splitlines()
    assert headers.split("\t")[:2] == ["id", "mode"]
    assert row.split("\t")[:2] == ["M", "BEAM"]
    assert row.split("\t")[3:] == ["ACCESS, BEAM", "beam", "the ring"]
    assert "forbids:\n- MOVES\n- ORDERS\n" in (await mds("guard", "show", "beam")).out
    assert "mode: BEAM" in (await mds("mode", "show", "M")).out
    gone = await mds("guard", "delete", "beam", "--reason", "moved to the interlock")
    assert (gone.code, gone.out) == (0, "beam forbids nothing any more.\n")
    assert "There is no guard" in (await mds("guard", "list")).err


async def test_a_guard_of_everything_has_to_be_said_and_modes_are_those_of_the_machine(
    mds: Mds, tmp_path: Path
) -> None:
    await declare(mds, tmp_path)
    for units in ((), ("--all", "--zone", "A")):
        wrong = await mds(*GUARD, "--forbid", "orders", *units)
        assert (wrong.code, "Name units" in wrong.err) == (2, True)
    assert (await mds(*GUARD, "--forbid", "orders", "--all")).code == 0
    wrong = await mds("mode", "set", "M", "NIGHT", "--reason", "x")
    assert wrong.code == 1
    assert "one of ACCESS, BEAM" in wrong.err


async def test_a_staged_edit_waits_and_is_written_when_the_mode_allows_it(
    mds: Mds, tmp_path: Path
) -> None:
    await declare(mds, tmp_path)
    await mds(*GUARD, "--forbid", "everything", "--zone", "A")
    await mds("mode", "set", "M", "BEAM", "--reason", "injection")
    tried = await mds(*EDIT[:-1], "--stage", "--dry-run")
    assert (tried.code, tried.out) == (0, "edit A/B/1, now not known\nNothing was staged.\n")
    staged = await mds(*EDIT, "--stage")
    assert staged.code == 0, staged.err
    assert "is HELD. A/B/1: " in staged.out
    assert "guards/beam forbids it while machine_modes/M is BEAM" in staged.out
    operation = staged.out.split("Operation ")[1].split()[0]
    assert "HELD" in (await mds("operation", "show", operation)).out
    await mds("mode", "set", "M", "ACCESS", "--reason", "dump")
    watched = await mds("operation", "watch", operation)
    assert watched.code == 0, watched.out + watched.err
    assert "description: new" in (await mds("show", "A/B/1")).out


async def test_an_order_that_a_guard_forbids_is_blocked_and_says_why(
    mds: Mds, tmp_path: Path
) -> None:
    await declare(mds, tmp_path)
    await mds(*GUARD, "--forbid", "orders", "--all")
    await mds("mode", "set", "M", "BEAM", "--reason", "injection")
    told = await mds("unload", "A/B/1", "--dry-run")
    assert told.code == 1
    assert "guards/beam forbids it while machine_modes/M is BEAM until it is ACCESS" in told.out


async def test_a_guard_of_a_filter_reaches_what_passes_it(mds: Mds, tmp_path: Path) -> None:
    await declare(mds, tmp_path)
    await mds(*GUARD, "--forbid", "everything", "--filter", "zone=A -description:free")
    assert "all units of zone=A -description:free" in (await mds("guard", "list")).out
    assert (await mds("edit", "A/B/1", "--set", "description=free", "--yes")).code == 0
    await mds("mode", "set", "M", "BEAM", "--reason", "injection")
    assert (await mds("edit", "A/B/1", "--set", "labels[a]=b", "--yes")).code == 0
    assert (await mds(*EDIT)).code == 1
