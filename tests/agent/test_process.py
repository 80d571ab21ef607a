"""One process of a unit server, and the strangers that may get its id."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from control_units.agent.process import Ending, ProcessMark, UnitServerProcess
from tests.agent.programs import HAS_A_CHILD, STAYS, is_running
from tests.stages.waiting import until


def started(program: str, output: Path) -> UnitServerProcess:
    with output.open("wb") as file:
        return UnitServerProcess.start(
            [sys.executable, "-c", program], folder="", environment={}, output=file
        )


@pytest.mark.parametrize("left", [{"start_ticks": 1}, {"boot": "an earlier one"}])
async def test_a_stranger_that_got_the_id_is_not_signalled(
    tmp_path: Path, left: dict[str, object]
) -> None:
    stranger = started(STAYS, tmp_path / "output")
    ended = UnitServerProcess(replace(stranger.mark, **left))  # type: ignore[arg-type]
    ended.send(signal.SIGKILL)
    stranger.send(signal.SIGTERM)
    await until(stranger.poll, what="its end")
    assert stranger.poll() == Ending(-signal.SIGTERM)


async def test_what_an_adopted_process_left_behind_is_signalled(tmp_path: Path) -> None:
    output = tmp_path / "output"
    launched = started(HAS_A_CHILD, output)
    adopted = UnitServerProcess.adopt(ProcessMark.of(launched.pid))
    assert adopted is not None
    child = int(await until(lambda: output.read_text().strip()))
    os.kill(launched.pid, signal.SIGKILL)  # alone, without its group
    await until(launched.poll, what="its end")
    assert is_running(child)
    adopted.send(signal.SIGKILL)
    await until(lambda: not is_running(child), what="the end of the child")
