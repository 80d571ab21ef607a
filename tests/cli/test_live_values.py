"""Live values as people list, take and compare them; and restored where they were."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from control_units.unit_server import UnitServer
from tests.cli.conftest import Ended, Mds
from tests.cli.facilities import site
from tests.cli.test_orders import PowerSupply
from tests.stages.replica import Replica
from tests.stages.waiting import until

ALL = ("LAB/A", "LAB/B", "LAB/C")


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest) -> str:
    """Unlike other commands, these go all the way from a unit to the command line."""
    url: str = request.getfixturevalue(f"{request.param}_database")
    return url


def told(ended: Ended) -> Any:
    assert ended.code == 0, ended.out + ended.err
    return json.loads(ended.out)


@contextlib.asynccontextmanager
async def serving(replica: Replica, folder: Path) -> AsyncIterator[UnitServer]:
    """The unit server of the laboratory, which a test may set values in."""
    server = UnitServer(
        [PowerSupply], "LAB/SERVER", address=replica.address, state_folder=folder / "state"
    )
    task = asyncio.create_task(server.serve())
    try:
        yield server
    finally:
        server.stop()
        async with asyncio.timeout(20):
            await task


async def set_point(server: UnitServer, id: str, value: float) -> None:
    unit = server.hosting.units[id].unit
    assert unit is not None
    await unit.set("current", value)


async def until_told(mds: Mds, **values: str) -> None:
    """Waits until units (`A`: LAB/A) have these values of `current`."""

    async def so() -> bool:
        listed = told(await mds("values", "LAB/*", "-o", "json"))
        found = {
            unit["name"].rpartition("/")[2]: unit["values"][0]["value"]
            for unit in listed
            if unit.get("values")
        }
        return bool(found == values)

    await until(so, within=40, what=f"{values}")


@pytest.fixture
async def laboratory(mds: Mds, tmp_path: Path) -> Mds:
    """The command line, beside a server with a laboratory that shall run."""
    assert (await mds("apply", str(site(tmp_path)), "--yes")).code == 0
    ordered = await mds("edit", "--set", "desired_state=RUNNING", "--prefix", "LAB/", "--yes")
    assert ordered.code == 0, ordered.err
    return mds


async def test_live_values_are_listed_taken_and_compared(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    mds = laboratory
    ended = await mds("values", "LAB/A")
    assert (ended.code, ended.out) == (0, "")
    assert "No values were ever reported by LAB/A." in ended.err
    refused = await mds("snapshot", "take", "now", *ALL)
    assert refused.code == 1
    assert "LAB/A, LAB/B, LAB/C have reported no values" in refused.err
    async with serving(replica, tmp_path) as server:
        await until_told(mds, A="0.0", B="0.0", C="0.0")
        await set_point(server, "LAB/A", 12.5)
        await until_told(mds, A="12.5", B="0.0", C="0.0")
        row = (await mds("values", "LAB/A")).out.splitlines()[1].split("\t")
        assert (row[:3], row[4]) == (["LAB/A", "current", "12.5"], "ALIVE")
        tried = await mds("snapshot", "take", "now", "LAB/*", "--dry-run")
        assert "now would have 3 values of 3 control units." in tried.out
        taken = await mds("snapshot", "take", "now", "LAB/*", "--mark", "golden")
        assert "now has 3 values of 3 control units" in taken.out, taken.err
        again = await mds("snapshot", "take", "now", "LAB/*")
        assert (again.code, "is there already" in again.err) == (1, True)
        same = await mds("snapshot", "compare", "now", "@live", "--exit-code")
        assert (same.code, same.out, same.err) == (0, "", "0 different, 3 equal.\n")
        await set_point(server, "LAB/B", 2)
        await until_told(mds, A="12.5", B="2.0", C="0.0")
        differing = await mds("snapshot", "compare", "now", "@live", "--exit-code")
        assert differing.code == 1
        assert differing.out.splitlines() == [
            "unit\tattribute\tnow\tlive\tapart",
            "LAB/B\tcurrent\t0.0\t2.0\t2.0",
        ]
        within = await mds("snapshot", "compare", "now", "@live", "--tolerance", "2")
        assert within.out == ""
    silent = await mds("snapshot", "compare", "now", "@live")
    assert "Not in touch, their values are the last ones told: LAB/A, LAB/B, LAB/C." in silent.err
    refused = await mds("snapshot", "take", "late", *ALL)
    assert "LAB/A, LAB/B, LAB/C are not in touch" in refused.err
    late = await mds("snapshot", "take", "late", *ALL, "--even-so")
    assert (late.code, "late has 3 values" in late.out) == (0, True)


async def test_values_of_every_unit_are_not_asked_for_by_a_slip(laboratory: Mds) -> None:
    ended = await laboratory("values")
    assert (ended.code, "every unit of the facility" in ended.err) == (2, True)
    assert len(told(await laboratory("values", "*", "-o", "json"))) == 3


async def test_a_part_of_a_snapshot_is_restored_with_a_result_for_each_unit(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    mds = laboratory
    async with serving(replica, tmp_path) as server:
        await until_told(mds, A="0.0", B="0.0", C="0.0")
        for number, id in enumerate(ALL):
            await set_point(server, id, 10.0 * number)
        await until_told(mds, A="0.0", B="10.0", C="20.0")
        assert (await mds("snapshot", "take", "evening", "LAB/*")).code == 0
        tried = await mds("snapshot", "restore", "evening", "--dry-run")
        assert tried.code == 0, tried.err
        assert "2 values of evening to restore, 1 intended already" in tried.out
        assert "2 of these units are initialised: they will be stopped" in tried.out
        assert told(await mds("operation", "list", "-o", "json")) == []
        again = ("--wait", "--within", "60", "--yes")
        restored = await mds("snapshot", "restore", "evening", "LAB/B", "LAB/A", *again)
        assert restored.code == 0, restored.out + restored.err
        await until_told(mds, A="0.0", B="10.0", C="20.0")
        same = await mds("snapshot", "compare", "evening", "@configured", "--units", "LAB/B")
        assert same.err == "0 different, 1 equal.\n"
        (operation, *_) = told(await mds("operation", "list", "-o", "json"))
        assert (operation["verb"], operation["reason"]) == (
            "ORDER_VERB_EDIT",
            "evening restored",
        )
        steps = await mds("operation", "show", "last", "--steps")
        assert "LAB/B" in steps.out
        rest = await mds("snapshot", "restore", "evening", *again)
        assert "1 value of evening to restore, 2 intended already" in rest.out
        assert rest.code == 0, rest.out + rest.err
        await set_point(server, "LAB/C", 21)
        await until_told(mds, A="0.0", B="10.0", C="21.0")
        strayed = await mds("snapshot", "restore", "evening")
        assert "Intended already, yet not used" in strayed.out
        assert "Nothing to do." in strayed.out


async def test_values_of_what_is_no_more_are_left_out_of_a_restoration(
    laboratory: Mds,
) -> None:
    mds = laboratory
    await mds("snapshot", "create", "old")
    await mds("snapshot", "set", "old", "LAB/A", "current", "1.5")
    await mds("snapshot", "set", "old", "OLD/U", "current", "1.5")
    planned = await mds("snapshot", "restore", "old", "--dry-run")
    assert planned.code == 0, planned.err
    assert "LAB/A  current    1.5" in planned.out
    assert "OLD/U  (all)      is not declared" in planned.out
    refused = await mds("snapshot", "restore", "old", "OLD/U", "--dry-run")
    assert (refused.code, "OLD/U" in refused.err) == (1, True)
    nothing = await mds("snapshot", "restore", "old", "--attribute", "voltage")
    assert (nothing.code, "Nothing to do." in nothing.out) == (0, True)
    ordered = await mds("snapshot", "restore", "old", "LAB/A", "--pending", "--yes")
    assert "To begin it: mds operation resume" in ordered.err, ordered.out + ordered.err
