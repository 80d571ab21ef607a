"""The short form of `python -m tests.chaos`: one cluster, a few faults, everything decided."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.processes.network import may_make_namespaces
from tests.chaos.stage import PLACE, what_the_cluster_lacks
from tests.stages.requirements import needs
from tests.stages.traces import traces

ROOT = Path(__file__).parents[2]
WITHIN_S = 540


@pytest.mark.timeout(WITHIN_S + 30)
@pytest.mark.flaky(reruns=0)  # a promise that is broken once is broken
def test_nothing_that_was_promised_is_broken_by_the_loss_of_one_machine() -> None:
    needs(
        ""
        if may_make_namespaces()
        else "Here nobody may make network namespaces (root may, on Linux)."
    )
    needs(what_the_cluster_lacks())
    with subprocess.Popen(
        [sys.executable, "-m", "tests.chaos", "--short", "--again", "--units", "20"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}"},
    ) as chaos:  # fmt: skip
        try:
            told, _ = chaos.communicate(timeout=WITHIN_S)
        except subprocess.TimeoutExpired:
            chaos.send_signal(signal.SIGINT)  # it takes its cluster down
            told, _ = chaos.communicate(timeout=60)
    assert chaos.returncode == 0, told
    assert not traces(PLACE / str(chaos.pid))
