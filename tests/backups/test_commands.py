"""`mds backup` and `mds restore` as people call them."""

from pathlib import Path

from metadata_server.backup_commands import some
from metadata_server.services.intent.resources import Resources
from tests.backups.conftest import Open, rows_of
from tests.cli.conftest import run_mds
from tests.services.lively import CALLER, SUPPLY
from tests.stages.opened_store import opened_store


async def test_it_says_what_it_did_and_what_to_do_about_the_rest(
    sqlite_database: str, empty_mariadb_database: str, tmp_path: Path, opens: Open
) -> None:
    source = {"MDS_DATABASE_URL": sqlite_database}
    with opened_store(sqlite_database) as store:
        await Resources(store).create(CALLER, SUPPLY, validate_only=False)

    full = await run_mds("backup", "-", environment=source, stdout="/dev/full")
    assert (full.code, "no room for standard output" in full.err) == (1, True), full.err
    piped = tmp_path / "piped"
    made = await run_mds("backup", "-", environment=source, stdout=str(piped))
    assert (made.code, "Written, to be verified where it arrives: revision 1 of" in made.err) == (
        0,
        True,
    ), made.err
    nothing = await run_mds("backup", environment=source)
    assert (nothing.code, "Name the FILE" in nothing.err) == (2, True)

    target = ("--database", empty_mariadb_database)
    checked = await run_mds("restore", str(piped), "--check", *target)
    assert (checked.code, "can take a backup" in checked.out) == (0, True), checked.err
    cut = tmp_path / "cut"
    cut.write_bytes(piped.read_bytes()[:-20])
    for command in (("backup", "--verify", str(cut)), ("restore", str(cut), *target)):
        refused = await run_mds(*command)
        assert (refused.code, "cut is cut off" in refused.err) == (1, True), refused.err
    restored = await run_mds("restore", "-", *target, stdin=piped.read_bytes())
    assert (restored.code, "The store goes on in epoch" in restored.out) == (0, True), restored.err
    again = await run_mds("restore", str(piped), *target)
    assert (again.code, "CREATE DATABASE" in again.err) == (1, True), again.err
    assert "has data: it is at revision " in again.err
    assert [row[1] for row in rows_of(opens(empty_mariadb_database))["template"]] == [SUPPLY.id]


def test_one_is_told_of_as_one() -> None:
    assert [some(count, "row") for count in (0, 1, 2, 1_204)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,204 rows",
    ]
