"""What `deploy/galera/start.sh` does when its disk is nearly full; the database is a program that
only sleeps."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cluster.galera_node import GaleraNode, Node, end

MORE_THAN_ANY_DISK_MB = 10**9


def start(folder: Path, nodes: int, least_mb: int) -> Node:
    """Starts a node that founds a cluster: with so many nodes in the group by its own word, and so
    many MB that it wants."""
    node = GaleraNode(folder)
    (node.data / "mysql").mkdir(parents=True)
    return node.start(
        {
            "mariadbd": "exec sleep 60",
            "mariadb": f"printf 'wsrep_cluster_size\\t{nodes}\\n'",
        },
        GALERA_LEAST_MB=str(least_mb),
    )


def test_a_node_without_room_leaves_when_all_others_are_there(tmp_path: Path) -> None:
    node = start(tmp_path, 3, MORE_THAN_ANY_DISK_MB)
    assert node.wait(timeout=20) == -signal.SIGTERM
    assert "it leaves, and comes back when there is room" in end(node)


@pytest.mark.parametrize(("nodes", "least_mb"), [(2, MORE_THAN_ANY_DISK_MB), (3, 1)])
def test_a_node_stays_that_has_room_or_that_others_need(
    tmp_path: Path, nodes: int, least_mb: int
) -> None:
    node = start(tmp_path, nodes, least_mb)
    with pytest.raises(subprocess.TimeoutExpired):
        node.wait(timeout=2.5)
    assert "it leaves" not in end(node)
