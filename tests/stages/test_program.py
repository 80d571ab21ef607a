"""Programs of a test can be watched, broken and ended."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.stages.program import Program
from tests.stages.waiting import until

WITH_A_CHILD = """
import subprocess, sys
child = subprocess.Popen(["sleep", "60"])
print("child", child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Program]:
    program = Program([sys.executable, "-c", WITH_A_CHILD], log=tmp_path / "log")
    program.start()
    yield program
    program.clear()


async def test_killing_a_program_takes_its_children_along(parent: Program) -> None:
    await until(lambda: "child" in parent.output(), what="the child's number")
    child = int(parent.output().split()[1])

    parent.kill()

    await until(lambda: not runs(child), what="the end of the child")


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_an_ended_program_is_told_with_its_last_words(tmp_path: Path) -> None:
    program = Program(["sh", "-c", "echo out of paper; exit 3"], log=tmp_path / "log")
    program.start()

    assert await program.ended(within=5) == 3
    with pytest.raises(AssertionError, match="ended with 3:\nout of paper"):
        program.check_running()


async def test_a_paused_program_stands_still(parent: Program) -> None:
    parent.pause()
    await until(lambda: psutil.Process(parent.pid).status() == psutil.STATUS_STOPPED)
    parent.resume()
    await until(lambda: psutil.Process(parent.pid).status() != psutil.STATUS_STOPPED)


async def test_terminating_gives_the_exit_status(parent: Program) -> None:
    assert await parent.terminate(within=5) == -signal.SIGTERM
    assert os.path.exists(parent.log)


async def test_waiting_tells_what_it_saw_last() -> None:
    with pytest.raises(AssertionError, match=r"for the flag; the last result was False"):
        await until(lambda: False, within=0.05, what="the flag")
