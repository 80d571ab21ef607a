"""`mds maintenance`: begun, seen, obeyed, ended."""

from pathlib import Path

from tests.cli.conftest import Mds
from tests.cli.test_import import small_facility, write


async def test_a_maintenance_is_begun_seen_obeyed_and_ended(mds: Mds, tmp_path: Path) -> None:
    await mds("import", "chaos", str(write(tmp_path, small_facility())))
    begun = await mds(
        "maintenance", "begin", "A/B/1", "--id", "w", "--reason", "new cooling", "--until", "2h"
    )
    assert begun.code == 0, begun.err
    assert "w has begun, until 2" in begun.out
    headers, row = (await mds("maintenance", "list")).out.splitlines()
    assert headers.split("\t") == ["id", "since", "until", "covers", "why"]
    assert row.split("\t")[3:] == ["A/B/1", "new cooling"]
    assert "InMaintenance" in (await mds("show", "A/B/1")).out
    order = ("edit", "A/B/1", "--set", "desired_state=STOPPED", "--yes")
    refused = await mds(*order)
    assert refused.code == 1
    assert "in maintenance (maintenances/w by " in refused.out + refused.err
    assert (await mds("maintenance", "end", "w")).code == 0
    assert (await mds(*order)).code == 0
    assert (await mds("maintenance", "list")).err == "Nothing is in maintenance.\n"


async def test_a_zone_is_a_beginning_of_ids(mds: Mds) -> None:
    assert (await mds("maintenance", "begin", "--zone", "A", "--reason", "shutdown")).code == 0
    row = (await mds("maintenance", "list")).out.splitlines()[1]
    assert row.split("\t")[2:] == ["it is ended", "A/", "shutdown"]


async def test_a_maintenance_of_nothing_and_one_that_is_over_are_wrong_use(mds: Mds) -> None:
    nothing = await mds("maintenance", "begin", "--reason", "x")
    assert (nothing.code, "Name units" in nothing.err) == (2, True)
    over = await mds("maintenance", "begin", "A", "--reason", "x", "--until", "2001-01-01")
    assert (over.code, "is over" in over.err) == (2, True)
