"""Orders to units: planned, given, and followed until the units are there."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from control_units import ControlUnit, Direction, RecoverableError, attribute
from control_units.unit_server import UnitServer
from tests.cli.conftest import Mds, run_mds
from tests.cli.facilities import site
from tests.cli.test_apply import AtATerminal
from tests.stages.ports import free_port
from tests.stages.replica import Replica
from tests.stages.waiting import until


class PowerSupply(ControlUnit, implementation="lab::PowerSupply"):
    """Fails, or waits, where a test says so."""

    current = attribute(direction=Direction.INPUT, unit="A", default=0.0)
    fails: ClassVar[set[str]] = set()
    waits: ClassVar[set[str]] = set()
    recover_attempts = 0  # an error stays until a test does something about it

    async def on_start(self) -> None:
        if self.id in self.waits:
            await asyncio.Event().wait()
        if self.id in self.fails:
            raise RecoverableError("the mains are off")


@pytest.fixture
async def laboratory(mds: Mds, tmp_path: Path) -> Mds:
    """The command line, beside a server that has the laboratory, of which nothing runs."""
    assert (await mds("apply", str(site(tmp_path)), "--yes")).code == 0
    PowerSupply.fails.clear()
    PowerSupply.waits.clear()
    return mds


@contextlib.asynccontextmanager
async def hosting(replica: Replica, folder: Path) -> AsyncIterator[None]:
    """The unit server of the laboratory."""
    server = UnitServer(
        [PowerSupply], "LAB/SERVER", address=replica.address, state_folder=folder / "state"
    )
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.stop()
        async with asyncio.timeout(20):
            await task


async def units(mds: Mds) -> dict[str, tuple[str, str]]:
    """State and desired state of each."""
    listed: list[dict[str, Any]] = json.loads((await mds("list", "-o", "json")).out)
    return {
        unit["name"].partition("/")[2]: (
            unit.get("status", {}).get("state", "").removeprefix("STATE_"),
            unit.get("desiredState", "").removeprefix("STATE_"),
        )
        for unit in listed
    }


async def wanted(mds: Mds) -> list[str]:
    return [desired for _, desired in (await units(mds)).values()]


async def newest(mds: Mds) -> dict[str, Any]:
    (operation, *_) = json.loads((await mds("operation", "list", "-o", "json")).out)
    found: dict[str, Any] = operation
    return found


async def become(mds: Mds, *desired: str) -> None:
    """Waits until people want the units of the laboratory to be so."""

    async def they_have() -> bool:
        return await wanted(mds) == list(desired)

    await until(they_have, within=30)


async def test_an_order_is_an_operation_about_all_that_are_selected(laboratory: Mds) -> None:
    ended = await laboratory("start", "LAB/A", "LAB/B*", "--yes", "--reason", "shift begins")
    assert ended.code == 0, ended.err
    assert "start 2 control units" in ended.out
    operation = await newest(laboratory)
    assert operation["name"].partition("/")[2] in ended.out
    assert operation["reason"] == "shift begins"
    assert operation["counts"]["steps"] == 2
    await become(laboratory, "RUNNING", "RUNNING", "")


async def test_a_dry_run_orders_nothing(laboratory: Mds) -> None:
    ended = await laboratory("start", "*", "--dry-run", "--wait", "--detailed-exit-code")
    assert ended.code == 4
    assert "start 3 control units" in ended.out
    assert "Nothing was ordered." in ended.out
    assert (await laboratory("operation", "list", "-o", "json")).out.strip() == "[]"


async def test_a_plan_is_told_to_programs(laboratory: Mds) -> None:
    told = json.loads((await laboratory("start", "*", "--dry-run", "-o", "json")).out)
    assert [each["controlUnit"] for each in told["plan"]["steps"]] == [
        f"control_units/LAB/{letter}" for letter in "ABC"
    ]
    assert told["operation"] is None


async def test_one_named_unit_needs_no_agreement_and_many_do(laboratory: Mds) -> None:
    assert (await laboratory("start", "LAB/A")).code == 0
    refused = await laboratory("start", "LAB/*")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert (await newest(laboratory))["counts"]["steps"] == 1


async def test_at_a_terminal_it_asks_before_many(laboratory: Mds, replica: Replica) -> None:
    terminal = AtATerminal(replica)
    assert await terminal.run("start", "LAB/*", answer="n\n", after="Do this?") == 1
    assert (await laboratory("operation", "list", "-o", "json")).out.strip() == "[]"


async def test_a_unit_that_others_require_is_asked_about_alone(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    edited = await laboratory("edit", "LAB/B", "--set", "requires=LAB/A", "--yes")
    assert edited.code == 0, edited.err
    async with hosting(replica, tmp_path):
        started = await laboratory("start", "*", "--yes", "--wait", "--within", "60")
        assert started.code == 0, started.err
        blocked = await laboratory("stop", "LAB/A", "--dry-run")
        assert blocked.code == 1
        assert "LAB/A  LAB/B requires LAB/A, is RUNNING" in blocked.out
        refused = await laboratory("stop", "LAB/A", "--even-so")
        assert refused.code == 2
        assert "Blast radius: 1 control unit" in refused.out
        assert (await newest(laboratory))["verb"] == "ORDER_VERB_START"
        told = await laboratory("stop", "LAB/A", "--even-so", "--yes", "--wait")
        assert told.code == 0, told.err


async def test_waves_are_shown_and_filled_in_order(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    await laboratory("edit", "LAB/A", "--set", "requires=LAB/B", "--yes")
    dry = await laboratory("start", "*", "--dry-run")
    assert "start 3 control units, in 2 waves" in dry.out
    assert "LAB/B" in dry.out.splitlines()[3]
    async with hosting(replica, tmp_path):
        assert (await laboratory("start", "*", "--yes", "--wait")).code == 0
        shown = await laboratory("operation", "show", "last", "--steps", "-o", "json")
        waves = {
            each["controlUnit"]: each.get("wave", 0) for each in json.loads(shown.out)["steps"]
        }
        assert waves["control_units/LAB/A"] == 1
        assert waves["control_units/LAB/B"] == 0


async def test_lowering_verbs_bring_nothing_up(laboratory: Mds) -> None:
    for verb, id in (("start", "LAB/A"), ("load", "LAB/B"), ("unload", "LAB/C")):
        assert (await laboratory(verb, id)).code == 0
    await become(laboratory, "RUNNING", "LOADED", "UNLOADED")
    ended = await laboratory("stop", "LAB/A", "LAB/B", "LAB/C", "--yes")
    assert "stop LAB/A" in ended.out
    await become(laboratory, "STOPPED", "LOADED", "UNLOADED")


async def test_nothing_selected_is_said(laboratory: Mds) -> None:
    for arguments in (
        ("start", "NONE/*", "--yes"),
        ("stop", "--label", "x=y", "--yes"),
        ("recover", "LAB/A"),
    ):
        ended = await laboratory(*arguments)
        assert ended.code == 1, arguments
        assert "No control unit is selected." in ended.err
    assert "RECOVERABLE_ERROR, unless --state" in ended.err


async def test_a_name_of_no_unit_is_a_slip_and_orders_nothing(laboratory: Mds) -> None:
    ended = await laboratory("start", "LAB/A", "LAB/NONE", "--yes")
    assert ended.code == 1
    assert "LAB/NONE" in ended.err
    assert (await laboratory("operation", "list", "-o", "json")).out.strip() == "[]"


@pytest.mark.parametrize(
    "wrong",
    [
        ["start"],
        ["stop", "L*B"],
        ["start", "LAB/A", "--within", "0"],
        ["start", "LAB/A", "--step-timeout", "soon"],
        ["init", ""],
    ],
)
async def test_wrong_use_is_told_without_a_server(wrong: list[str]) -> None:
    nowhere = {"MDS_ADDRESS": f"127.0.0.1:{free_port()}"}
    assert (await run_mds(*wrong, "--dry-run", environment=nowhere)).code == 2


async def test_following_ends_when_all_are_there(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    async with hosting(replica, tmp_path):
        for verb, state in (
            ("start", "RUNNING"),
            ("stop", "STOPPED"),
            ("init", "INITIALIZED"),
            ("deinit", "LOADED"),
            ("unload", "UNLOADED"),
        ):
            ended = await laboratory(verb, "*", "--yes", "--wait", "--within", "50")
            assert ended.code == 0, ended.err
            assert "3 of 3 are there" in ended.err
            assert set((await units(laboratory)).values()) == {(state, state)}
        again = await laboratory("unload", "*", "--yes", "--wait")
        assert again.code == 0
        assert "There already: 3 control units" in again.out
        assert "Nothing to do." in again.out


async def test_one_unit_takes_three_lines(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    async with hosting(replica, tmp_path):
        ended = await laboratory("start", "LAB/A", "--wait")
        assert ended.code == 0, ended.err
        plan, operation = ended.out.splitlines()
        assert plan.startswith("start LAB/A, now ")
        assert operation.startswith("Operation ")
        assert ended.err.splitlines()[-1].startswith("1 of 1 is there, after ")


async def test_who_fails_is_named_and_is_tried_again(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    PowerSupply.fails.add("LAB/B")
    async with hosting(replica, tmp_path):
        ended = await laboratory(
            "start", "*", "--yes", "--wait", "--on-failure", "continue", "--step-timeout", "60s"
        )
        assert ended.code == 1
        assert "2 of 3 are there, 1 failed" in ended.err
        assert "! LAB/B  ERROR" in ended.err
        assert "the mains are off" in ended.err
        assert "LAB/A" not in ended.err
        assert "mds operation retry-failed" in ended.err
        PowerSupply.fails.clear()
        assert (await laboratory("operation", "retry-failed", "last")).code == 0
        watched = await laboratory("operation", "watch", "last")
        assert watched.code == 0, watched.err
        assert "3 of 3 are there" in watched.err
        assert set((await units(laboratory)).values()) == {("RUNNING", "RUNNING")}


async def test_units_in_error_recover_by_an_order(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    PowerSupply.fails.add("LAB/B")
    async with hosting(replica, tmp_path):
        assert (await laboratory("start", "LAB/B", "--wait", "--within", "50")).code == 1
        PowerSupply.fails.clear()
        ended = await laboratory("recover", "*", "--yes", "--wait", "--within", "50")
        assert ended.code == 0, ended.err
        assert "recover LAB/B, now RECOVERABLE_ERROR" in ended.out
        assert (await units(laboratory))["LAB/B"] == ("RUNNING", "RUNNING")


async def test_who_does_not_come_in_time_is_named_with_why(laboratory: Mds) -> None:
    ended = await laboratory("start", "LAB/A", "--wait", "--step-timeout", "0.3")
    assert ended.code == 1
    assert "0 of 1 is there, 1 failed" in ended.err
    assert "LAB/A" in ended.err


async def test_an_order_is_not_followed_for_longer_than_was_said(laboratory: Mds) -> None:
    ended = await laboratory("start", "LAB/A", "--wait", "--within", "0.3")
    assert ended.code == 1
    assert "mds operation watch" in ended.err
    assert (await newest(laboratory))["phase"] != "OPERATION_PHASE_ABORTED"


async def test_a_later_order_takes_its_units_over(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    PowerSupply.waits.add("LAB/A")
    async with hosting(replica, tmp_path):
        waiting = asyncio.ensure_future(
            laboratory("start", "LAB/A", "LAB/B", "--yes", "--wait", "--within", "50")
        )

        async def is_under_way() -> bool:
            return (await units(laboratory))["LAB/B"][0] == "RUNNING"

        await until(is_under_way, within=30)
        later = await laboratory("--as", "carla", "unload", "LAB/A")
        assert "Takes units over from: " in later.out
        ended = await waiting
        assert ended.code == 1
        assert "1 of 2 are there, 1 aborted" in ended.err
