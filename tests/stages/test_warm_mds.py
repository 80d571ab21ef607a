"""The `mds` that scripts of shells find answers as the one that is installed."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.stages.leaks import descendants, left_processes
from tests.stages.nursery import BIN
from tests.stages.waiting import until


def run(folder: Path, script: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", script], check=False, cwd=cwd, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "script",
    [
        "mds --version",
        "mds nonsense; echo $?",
        "MDS_ADDRESS=nowhere:0 mds list control_units 2>said; echo $?; cat said",
        "echo 'control_units {id}' | MDS_ADDRESS=nowhere:0 mds completion bash | wc -l",
        "mkdir here; cd here; echo 'templates: [' >file.yaml; mds apply file.yaml; echo $?",
        "mds --help | head -1",
    ],
)
def test_it_says_what_the_other_says(script: str, tmp_path: Path, warm_bin: Path) -> None:
    answers = []
    for name, folder in {"installed": BIN, "warm": warm_bin}.items():
        (tmp_path / name).mkdir()
        ended = run(folder, script, tmp_path / name)
        answers.append((ended.returncode, ended.stdout, ended.stderr))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_signal_to_it_ends_the_program(
    number: signal.Signals, tmp_path: Path, warm_bin: Path
) -> None:
    before = descendants()
    script = f"""
        export MDS_DATABASE_URL=sqlite:///{tmp_path}/mds.sqlite MDS_GRPC_PORT=0 MDS_HTTP_PORT=0
        mds serve >log 2>&1 &
        until grep -q serving log; do sleep 0.1; done
        kill -{number.value} $!; wait $!; echo $?
    """
    ended = await asyncio.to_thread(run, warm_bin, script, tmp_path)
    assert ended.stdout == ("0\n" if number == signal.SIGTERM else "137\n"), ended
    await until(lambda: not left_processes(before), what="the end of the program")
