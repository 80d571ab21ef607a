"""What `deploy/galera/start.sh` does when its disk is nearly full; the database is a program that
only sleeps."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

START = Path(__file__).parents[2] / "deploy" / "galera" / "start.sh"
MORE_THAN_ANY_DISK_MB = 10**9
NODES = "127.0.0.2,127.0.0.3,127.0.0.4"

Start = Callable[[int, int], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a node that founds a cluster: with so many nodes in the group by its own word, and so
    many MB that it wants."""
    programs, data = tmp_path / "programs", tmp_path / "data"
    programs.mkdir()
    (data / "mysql").mkdir(parents=True)

    def program(name: str, text: str) -> None:
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)

    def started(nodes: int, least_mb: int) -> "subprocess.Popen[str]":
        program("mariadbd", "exec sleep 60")
        program("mariadb", f"printf 'wsrep_cluster_size\\t{nodes}\\n'")
        return subprocess.Popen(
            ["/bin/bash", START],
            env={
                "PATH": f"{programs}:{os.environ['PATH']}",
                "GALERA_NODE": "127.0.0.2",
                "GALERA_NODES": NODES,
                "GALERA_CONFIG": "/dev/null",
                "GALERA_DATA": str(data),
                "GALERA_RUN": str(tmp_path / "run"),
                "GALERA_SETUP": "/dev/null",
                "GALERA_USER": "root",
                "GALERA_LEAST_MB": str(least_mb),
            },
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    return started


def end(node: "subprocess.Popen[str]") -> str:
    """Ends it and all that it started; what it said."""
    os.killpg(node.pid, signal.SIGKILL)
    return node.communicate(timeout=10)[1]


def test_a_node_without_room_leaves_when_all_others_are_there(start: Start) -> None:
    node = start(3, MORE_THAN_ANY_DISK_MB)
    assert node.wait(timeout=20) == -signal.SIGTERM
    assert "it leaves, and comes back when there is room" in end(node)


@pytest.mark.parametrize(("nodes", "least_mb"), [(2, MORE_THAN_ANY_DISK_MB), (3, 1)])
def test_a_node_stays_that_has_room_or_that_others_need(
    start: Start, nodes: int, least_mb: int
) -> None:
    node = start(nodes, least_mb)
    with pytest.raises(subprocess.TimeoutExpired):
        node.wait(timeout=2.5)
    assert "it leaves" not in end(node)
