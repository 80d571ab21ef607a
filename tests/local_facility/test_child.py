"""Child processes end when they should, and leave nothing behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from control_units.local_facility.child import Child, end_all, ends_with_its_parent
from tests.stages.waiting import until

DEAF = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
helper = subprocess.Popen(["sleep", "60"])
print(helper.pid, flush=True)
helper.wait()
"""


async def start(program: str, log: Path) -> Child:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=output, stderr=output, start_new_session=True
        )
    return Child("child", log, process)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_child_that_ends_when_asked_is_not_killed(tmp_path: Path) -> None:
    child = await start("import time; print('up', flush=True); time.sleep(60)", tmp_path / "log")
    await until(lambda: "up" in child.last_words())

    assert await end_all([child], within=5) == []
    assert await child.ended() == -signal.SIGTERM


async def test_a_child_that_does_not_listen_is_killed_with_what_it_started(tmp_path: Path) -> None:
    child = await start(DEAF, tmp_path / "log")
    await until(lambda: child.last_words().strip().isdecimal())
    helper = int(child.last_words())

    assert await end_all([child], within=0.2) == [child]
    assert await child.ended() == -signal.SIGKILL
    await until(lambda: not runs(helper), what="the end of what it started")


async def test_being_interrupted_while_ending_kills_at_once(tmp_path: Path) -> None:
    child = await start(DEAF, tmp_path / "log")
    await until(lambda: child.last_words().strip().isdecimal())
    ending = asyncio.create_task(end_all([child], within=60))
    await asyncio.sleep(0)

    ending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await ending
    async with asyncio.timeout(5):
        assert await child.ended() == -signal.SIGKILL


async def test_the_last_words_are_the_last_lines(tmp_path: Path) -> None:
    child = await start("for i in range(100): print('line', i)", tmp_path / "log")
    await child.ended()
    assert child.last_words().splitlines()[-1] == "line 99"
    assert len(child.last_words().splitlines()) == 12


async def test_the_last_words_are_not_about_what_went_well(tmp_path: Path) -> None:
    events = [
        {"event": "registered", "level": "info"},
        {"event": "unit_task_failed", "level": "error"},
        {"event": "control_unit_settled", "level": "info"},
    ]
    child = await start(f"for e in {[json.dumps(e) for e in events]}: print(e)", tmp_path / "log")
    await child.ended()
    assert json.loads(child.last_words()) == events[1]


async def test_of_a_long_log_half_a_line_is_no_last_word(tmp_path: Path) -> None:
    well = json.dumps({"level": "info", "event": "call"})
    child = await start(f"for n in range(1000): print({well!r} + n % 7 * ' ')", tmp_path / "log")
    await child.ended()
    assert child.last_words() == ""


@pytest.mark.skipif(not ends_with_its_parent(), reason="no setpriv on this machine")
async def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = [*ends_with_its_parent(), "sleep", "60"]
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import subprocess; c = subprocess.Popen({program}); print(c.pid, flush=True); c.wait()",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    # Its first step, setpriv, is over when the kernel has been told.
    await until(lambda: psutil.Process(child).name() == "sleep")

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    await until(lambda: not runs(child), what="the end of the child")
