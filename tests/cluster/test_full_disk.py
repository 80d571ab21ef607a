"""What `deploy/galera/start.sh` does when its disk is nearly full; the database is a program that
only sleeps."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cluster.galera_node import NODES, GaleraNode, Node, end
from tests.stages.requirements import needs

MORE_THAN_ANY_DISK_MB = 10**9
CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
"""Runs what follows as process 1 of processes that see no others."""
INIT = ("/bin/sh", "-c", '"$@"; exit $?', "init")
"""Runs what follows as a process of its own, and ends with it."""


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


@pytest.fixture
def container() -> tuple[str, ...]:
    can = subprocess.run([*CONTAINER, "true"], capture_output=True, text=True, check=False)
    needs("" if can.returncode == 0 else f"No processes of their own here: {can.stderr.strip()}.")
    return CONTAINER


def test_a_node_in_a_container_that_cannot_end_is_killed(
    tmp_path: Path, container: tuple[str, ...]
) -> None:
    node = GaleraNode(tmp_path)
    (node.data / "mysql").mkdir(parents=True)
    running = node.start(
        {
            "mariadbd": "trap '' TERM; exec /bin/sleep 60",
            "mariadb": "printf 'wsrep_cluster_size\\t3\\n'",
            "sleep": "exec /bin/sleep 0.2",
        },
        within=(*container, *INIT),
        GALERA_LEAST_MB=str(MORE_THAN_ANY_DISK_MB),
    )
    assert running.wait(timeout=20) == 128 + signal.SIGKILL, end(running)
    assert "it leaves" in end(running)


def test_nothing_is_started_where_it_could_not_be_killed(
    tmp_path: Path, container: tuple[str, ...]
) -> None:
    node = GaleraNode(tmp_path)
    running = node.start({"mariadbd": "exec sleep 60"}, within=container)
    assert running.wait(timeout=20) == 1
    assert "init: true" in end(running)
    assert not node.data.exists()


def test_a_node_without_room_leaves_when_all_others_are_there(tmp_path: Path) -> None:
    node = start(tmp_path, 3, MORE_THAN_ANY_DISK_MB)
    assert node.wait(timeout=20) == 128 + signal.SIGTERM
    assert "it leaves, and comes back when there is room" in end(node)


@pytest.mark.parametrize(("nodes", "least_mb"), [(2, MORE_THAN_ANY_DISK_MB), (3, 1)])
def test_a_node_stays_that_has_room_or_that_others_need(
    tmp_path: Path, nodes: int, least_mb: int
) -> None:
    node = start(tmp_path, nodes, least_mb)
    with pytest.raises(subprocess.TimeoutExpired):
        node.wait(timeout=2.5)
    assert "it leaves" not in end(node)


@pytest.mark.parametrize(("place", "looks_again_after_s"), [(0, 0), (1, 10), (2, 20)])
def test_nodes_that_share_a_full_disk_do_not_leave_together(
    tmp_path: Path, place: int, looks_again_after_s: int
) -> None:
    """Each but the first looks again when it would miss those before it: here the group has become
    smaller while it has slept."""
    node = GaleraNode(tmp_path)
    node.data.mkdir()
    (node.data / "grastate.dat").write_text("uuid: 11111111-1111-1111-1111-111111111111\n")
    (node.data / "gvwstate.dat").write_text("of a group")
    slept = tmp_path / "slept"
    running = node.start(
        {
            "mariadbd": "exec /bin/sleep 60",
            "mariadb": f"printf 'wsrep_cluster_size\\t%s\\n' $([ -e {slept} ] && echo 2 || echo 3)",
            "sleep": f"[ $1 = 1 ] || [ $1 = 0 ] || echo $1 >>{slept}; exec /bin/sleep 0.1",
        },
        name=NODES[place],
        GALERA_LEAST_MB=str(MORE_THAN_ANY_DISK_MB),
    )
    if looks_again_after_s == 0:
        assert running.wait(timeout=20) == 128 + signal.SIGTERM
        assert "it leaves" in end(running)
        return
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(timeout=2.5)
    assert "it leaves" not in end(running)
    assert slept.read_text() == f"{looks_again_after_s}\n"
