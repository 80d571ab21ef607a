"""Operations from the command line: listed, shown, watched and steered."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended, Mds
from tests.cli.facilities import site
from tests.stages.nursery import MDS
from tests.stages.replica import Replica
from tests.stages.waiting import until


@pytest.fixture
async def laboratory(mds: Mds, tmp_path: Path) -> Mds:
    """The command line, beside a server that has the laboratory, of which nothing runs: what is
    ordered stays under way."""
    assert (await mds("apply", str(site(tmp_path)), "--yes")).code == 0
    return mds


async def told(mds: Mds, *arguments: str) -> Any:
    ended = await mds("operation", *arguments, "-o", "json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


async def phase(mds: Mds) -> str:
    found: str = (await told(mds, "show", "last"))["phase"]
    return found.removeprefix("OPERATION_PHASE_")


async def is_executing(mds: Mds) -> None:
    """Waits until the newest operation is under way."""

    async def it_is() -> bool:
        counts = (await told(mds, "show", "last"))["counts"]
        return bool(counts.get("executing"))

    await until(it_is, within=30)


@contextlib.asynccontextmanager
async def watching(replica: Replica, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`mds …` beside the test; its words come on standard error."""
    process = await asyncio.create_subprocess_exec(
        MDS, *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "MDS_ADDRESS": replica.address},
        # As from a terminal: who runs the tests in the background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def heard(process: asyncio.subprocess.Process, text: str) -> str:
    """Reads until a line with this text, which it gives."""
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while line := (await process.stderr.readline()).decode():
            if text in line:
                return line
    raise AssertionError(f"It ended without a word of {text!r}.")


async def rest(process: asyncio.subprocess.Process) -> Ended:
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, "", err.decode())


async def test_what_was_ordered_is_listed_and_sorted(laboratory: Mds) -> None:
    await laboratory("--as", "carla", "start", "LAB/A", "--reason", "shift begins")
    await laboratory("stop", "LAB/B", "LAB/C", "--yes")
    listed = await told(laboratory, "list")
    assert [each["verb"] for each in listed] == ["ORDER_VERB_STOP", "ORDER_VERB_START"]
    by_units = await told(laboratory, "list", "--sort", "units", "--reverse")
    assert [each["counts"]["steps"] for each in by_units] == [1, 2]
    for filters in (
        ["--author", "carla"],
        ["--verb", "start"],
        ["--unit", "LAB/A"],
        ["--text", "SHIFT"],
        ["--limit", "1", "--reverse"],
    ):
        (found,) = await told(laboratory, "list", *filters)
        assert found["reason"] == "shift begins", filters
    (mine,) = await told(laboratory, "list", "--mine")
    assert mine["verb"] == "ORDER_VERB_STOP"


async def test_a_list_says_how_much_more_there_is(laboratory: Mds) -> None:
    await laboratory("start", "LAB/A")
    await laboratory("start", "LAB/B")
    ended = await laboratory("operation", "list", "--limit", "1")
    assert ended.out.splitlines()[0].split("\t")[:3] == ["id", "phase", "order"]
    assert "1 of 2" in ended.err
    none = await laboratory("operation", "list", "--since", "0s")
    assert (none.code, "no such operation" in none.err) == (0, True)


async def test_one_is_shown_with_who_when_and_why(laboratory: Mds) -> None:
    await laboratory(
        "--as", "carla", "start", "*", "--yes", "--reason", "shift begins", "--at-once", "2",
        "--on-failure", "roll-back", "--step-timeout", "5m",
    )  # fmt: skip
    await laboratory("--as", "carla", "operation", "pause", "last")
    shown = await laboratory("--as", "carla", "operation", "show", "last", "--steps")
    assert shown.code == 0, shown.err
    for line in (
        r"start 3 control units",
        "by carla: shift begins",
        "SUSPENDED",
        "2 of all",
        "roll-back",
        "5 min",
        "last sign of life",
        "last update",
    ):
        assert line in shown.out
    rows = [line.split("\t")[:2] for line in shown.out.splitlines() if line.startswith("LAB/")]
    assert [row[0] for row in rows] == ["LAB/A", "LAB/B", "LAB/C"]
    some = await laboratory("--as", "carla", "operation", "show", "last", "--state", "error")
    assert "LAB/A" not in some.out


async def test_an_operation_is_paused_resumed_and_aborted(laboratory: Mds) -> None:
    await laboratory("start", "*", "--yes", "--at-once", "1")
    await is_executing(laboratory)
    paused = await laboratory("operation", "pause", "last", "--reason", "wait for me")
    assert paused.code == 0, paused.err
    assert "SUSPENDED" in paused.out
    assert await phase(laboratory) == "SUSPENDED"
    resumed = await laboratory("operation", "resume", "last")
    assert "SUSPENDED" not in resumed.out
    aborted = await laboratory("operation", "abort", "last")
    assert "2 aborted" in aborted.out
    skipped = await laboratory("operation", "skip", "last", "LAB/A")
    assert skipped.code == 0, skipped.err

    async def it_has_ended() -> bool:
        return await phase(laboratory) == "ABORTED"

    await until(it_has_ended, within=30)
    again = await laboratory("operation", "pause", "last")
    assert (again.code, "OPERATION_ENDED" in again.err) == (1, True)


async def test_a_pending_order_waits_for_somebody_to_resume_it(laboratory: Mds) -> None:
    given = await laboratory("start", "LAB/A", "--pending", "--wait")
    assert given.code == 0, given.err
    assert "mds operation resume" in given.err
    assert await phase(laboratory) == "PENDING"
    await laboratory("operation", "resume", "last")
    await is_executing(laboratory)


async def test_last_is_the_newest_of_who_asks(laboratory: Mds) -> None:
    await laboratory("--as", "carla", "start", "LAB/A")
    nothing = await laboratory("operation", "show", "last")
    assert nothing.code == 1
    assert "has given no order" in nothing.err
    shown = await laboratory("--as", "carla", "operation", "show", "last")
    assert shown.code == 0
    unknown = await laboratory("operation", "show", "none-of-this-id")
    assert (unknown.code, "OPERATION_NOT_FOUND" in unknown.err) == (1, True)


async def test_an_interrupt_ends_the_watching_and_not_the_operation(
    laboratory: Mds, replica: Replica
) -> None:
    await laboratory("start", "LAB/A")
    await is_executing(laboratory)
    async with watching(replica, "operation", "watch", "last") as process:
        await heard(process, "0 of 1")
        process.send_signal(signal.SIGINT)
        ended = await rest(process)
    assert ended.code == 1
    assert "The operation goes on by itself" in ended.err
    assert await phase(laboratory) == "EXECUTING"


async def test_it_is_watched_through_the_loss_of_a_server(
    laboratory: Mds, replica: Replica
) -> None:
    await laboratory("start", "LAB/A")
    await is_executing(laboratory)
    async with watching(replica, "operation", "watch", "last") as process:
        await heard(process, "0 of 1")
        replica.kill()
        await heard(process, "The operation goes on by itself")
        await replica.start()
        await heard(process, "A server answers again")
        assert (await laboratory("operation", "skip", "last", "LAB/A")).code == 0
        ended = await rest(process)
    assert ended.code == 1
    assert "1 skipped" in ended.err
