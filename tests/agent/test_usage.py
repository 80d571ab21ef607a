"""What processes use, with what they started."""

import signal
import sys
from pathlib import Path

from control_units.agent.process import UnitServerProcess
from control_units.agent.process_reports import ProcessReports
from control_units.agent.standing import ProcessState, Standing
from control_units.agent.usage import usages
from tests.stages.waiting import until

BUSY_CHILD = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'while True: pass']); "
    "child.wait()"
)


def started(program: str, folder: Path) -> UnitServerProcess:
    with (folder / "log").open("wb") as output:
        return UnitServerProcess.start(
            [sys.executable, "-c", program], folder="", environment={}, output=output
        )


async def test_what_a_process_started_counts_with_it(tmp_path: Path) -> None:
    process = started(BUSY_CHILD, tmp_path)
    reports = ProcessReports()
    standing = Standing(ProcessState.RUNNING, process.pid)
    try:
        await until(lambda: usages([process.pid])[process.pid].cpu_s > 0.3, what="a busy child")
        assert usages([process.pid])[process.pid].memory_bytes > 5_000_000
        (first,) = reports.of({"PS": standing})
        assert first.cpu_load == 0.0, "nobody knows yet"
        await until(lambda: reports.of({"PS": standing})[0].cpu_load > 0.1, what="its load")
    finally:
        process.send(signal.SIGKILL)
        await until(process.poll, what="its end")


def test_a_process_that_is_gone_uses_nothing() -> None:
    assert usages([2**22 + 1])[2**22 + 1].cpu_s == 0.0
