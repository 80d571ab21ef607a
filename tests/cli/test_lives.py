"""Lives of control units, and unit servers that knock undeclared."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Ended, Mds
from tests.cli.test_import import small_facility, write
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until


def simulate(unit_server: str, replica: Replica, folder: Path) -> Program:
    """A unit server with simulated devices, in a process of its own."""
    environment = {"MDS_ADDRESS": replica.address, "XDG_STATE_HOME": str(folder)}
    return Program.mds(
        "simulate", unit_server, log=folder / "simulate.log", environment=environment
    )


def lives_of(ended: Ended) -> Any:
    return json.loads(ended.out)


async def test_lives_are_shown_with_their_states_and_how_they_ended(
    mds: Mds, replica: Replica, tmp_path: Path
) -> None:
    await mds("import", "chaos", str(write(tmp_path, small_facility())))
    process = simulate("S", replica, tmp_path)

    async def it_runs() -> bool:
        process.check_running()
        lives = lives_of(await mds("lives", "A/B/1", "-o", "json"))
        return bool(lives) and lives[0]["states"][-1]["state"] == "STATE_RUNNING"

    process.start()
    try:
        await until(it_runs, within=30, what="a running unit")
        assert "still lives" in (await mds("lives", "A/B/1")).out
        (life,) = lives_of(await mds("lives", "A/B/1", "-o", "json"))
        assert life["fingerprint"].startswith("v1:")
        await process.terminate(within=15)
    finally:
        process.clear()
    (life,) = lives_of(await mds("lives", "A/B/1", "-o", "json"))
    assert life["endReason"] == "END_REASON_GOOD_BYE"
    table = (await mds("lives", "control_units/A/B/1")).out.splitlines()
    assert len(table) == 2
    assert "good bye" in table[1]
    assert "RUNNING" in table[1]
    assert lives_of(await mds("lives", "A/B/1", "-o", "json", "--until", "1d")) == []
    assert len(lives_of(await mds("lives", "A/B/1", "-o", "json", "--since", "1h"))) == 1


async def test_lives_of_a_unit_that_never_was(mds: Mds) -> None:
    ended = await mds("lives", "A/B/9")
    assert ended.code == 1
    assert "'A/B/9'" in ended.err
    assert "CONTROL_UNIT_NOT_FOUND" in ended.err


async def test_what_knocks_undeclared_can_be_adopted(
    mds: Mds, replica: Replica, tmp_path: Path
) -> None:
    process = simulate("NEW/ONE", replica, tmp_path)

    async def it_has_knocked() -> bool:
        process.check_running()
        return "NEW/ONE" in (await mds("adopt")).out

    process.start()
    try:
        await until(it_has_knocked, within=30, what="a sighting")
    finally:
        process.clear()
    assert (await mds("adopt", "NEW/TWO")).code == 1
    assert (await mds("adopt", "NEW/ONE", "--reason", "it is ours")).code == 0
    exported = json.loads((await mds("export", "--format", "json")).out)
    assert [server["id"] for server in exported["unit_servers"]] == ["NEW/ONE"]
    assert "already" in (await mds("adopt", "NEW/ONE")).out
