"""Orders to units: what people want them to be, and waiting until they are there."""

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
    return {unit["id"]: (unit["state"], unit["desired"]) for unit in listed}


async def wanted(mds: Mds) -> list[str]:
    return [desired for _, desired in (await units(mds)).values()]


async def test_an_order_is_one_change_of_all_that_are_selected(laboratory: Mds) -> None:
    ended = await laboratory("start", "LAB/A", "LAB/B*", "--yes", "--reason", "shift begins")
    assert ended.code == 0, ended.err
    assert "desired_state" in ended.out
    assert "mds undo 2" in ended.out
    assert await wanted(laboratory) == ["RUNNING", "RUNNING", ""]
    (newest, *_) = json.loads((await laboratory("changes", "-o", "json")).out)
    assert (newest["updated"], newest["reason"]) == (2, "shift begins")
    assert "Nothing to do." in (await laboratory("start", "LAB/A")).out


async def test_a_dry_run_writes_nothing(laboratory: Mds) -> None:
    ended = await laboratory("start", "*", "--dry-run", "--wait", "--detailed-exit-code")
    assert ended.code == 4
    assert "3 to change" in ended.out
    assert await wanted(laboratory) == ["", "", ""]


async def test_one_named_unit_needs_no_agreement_and_many_do(laboratory: Mds) -> None:
    assert (await laboratory("start", "LAB/A")).code == 0
    refused = await laboratory("start", "LAB/*")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert await wanted(laboratory) == ["RUNNING", "", ""]


async def test_at_a_terminal_it_asks_before_many(laboratory: Mds, replica: Replica) -> None:
    terminal = AtATerminal(replica)
    assert await terminal.run("start", "LAB/*", answer="n\n", after="Do this?") == 1
    assert await wanted(laboratory) == ["", "", ""]


async def test_lowering_verbs_bring_nothing_up(laboratory: Mds) -> None:
    await laboratory("start", "LAB/A")
    await laboratory("load", "LAB/B")
    await laboratory("unload", "LAB/C")
    ended = await laboratory("stop", "LAB/A", "LAB/B", "LAB/C", "--yes")
    assert "1 to change" in ended.out
    await laboratory("load", "LAB/A")
    assert await wanted(laboratory) == ["STOPPED", "LOADED", "UNLOADED"]
    await laboratory("deinit", "*", "--yes")
    assert await wanted(laboratory) == ["LOADED", "LOADED", "UNLOADED"]


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
    unknown = await laboratory("start", "LAB/NONE")
    assert (unknown.code, "LAB/NONE" in unknown.out) == (1, True)


@pytest.mark.parametrize(
    "wrong", [["start"], ["stop", "L*B"], ["start", "LAB/A", "--within", "0"], ["init", ""]]
)
async def test_wrong_use_is_told_without_a_server(wrong: list[str]) -> None:
    nowhere = {"MDS_ADDRESS": f"127.0.0.1:{free_port()}"}
    assert (await run_mds(*wrong, "--dry-run", environment=nowhere)).code == 2


async def test_waiting_ends_when_all_are_there(
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
            ended = await laboratory(verb, "*", "--yes", "--wait", "--within", "40")
            assert ended.code == 0, ended.err
            assert "3 of 3 are there." in ended.err
            assert set((await units(laboratory)).values()) == {(state, state)}
        again = await laboratory("unload", "*", "--yes", "--wait")
        assert (again.code, "Nothing to do." in again.out) == (0, True)
        assert "3 of 3 are there." in again.err


async def test_who_fails_is_named_and_recovers_by_an_order(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    PowerSupply.fails.add("LAB/B")
    async with hosting(replica, tmp_path):
        ended = await laboratory("start", "*", "--yes", "--wait", "--within", "40")
        assert ended.code == 1
        assert "2 of 3 are there, 1 failed." in ended.err
        assert "LAB/B  RECOVERABLE_ERROR  RUNNING  the mains are off" in ended.err
        assert "LAB/A" not in ended.err
        assert "mds recover" in ended.err
        PowerSupply.fails.clear()
        recovered = await laboratory("recover", "*", "--yes", "--wait", "--within", "40")
        assert recovered.code == 0, recovered.err
        assert "1 of 1 are there." in recovered.err
        assert "mds undo" not in recovered.out
        assert set((await units(laboratory)).values()) == {("RUNNING", "RUNNING")}


async def test_who_does_not_come_in_time_is_named_with_why(laboratory: Mds) -> None:
    ended = await laboratory("start", "LAB/A", "--wait", "--within", "0.3")
    assert ended.code == 1
    assert "0 of 1 are there, 1 on the way." in ended.err
    assert "contact with LAB/SERVER is NONE" in ended.err


async def test_an_order_that_another_one_follows_is_superseded(
    laboratory: Mds, replica: Replica, tmp_path: Path
) -> None:
    PowerSupply.waits.add("LAB/A")
    async with hosting(replica, tmp_path):
        waiting = asyncio.ensure_future(
            laboratory("start", "LAB/A", "LAB/B", "--yes", "--wait", "--within", "40")
        )

        async def is_under_way() -> bool:
            return (await units(laboratory))["LAB/B"][0] == "RUNNING"

        await until(is_under_way, within=30)
        assert (await laboratory("--as", "carla", "unload", "LAB/A")).code == 0
        ended = await waiting
        assert ended.code == 1
        assert "1 superseded" in ended.err
        assert "carla wants it UNLOADED now" in ended.err
