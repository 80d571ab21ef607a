"""How `deploy/galera/start.sh` begins: what it makes, and what it refuses to do to data. Programs
that stand in for those of the database write down how they were called."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.galera_node import NODES, GaleraNode, end

GROUP_PORT = 4567
OWN = "11111111-1111-1111-1111-111111111111"
THEIRS = "22222222-2222-2222-2222-222222222222"
NOTHING = "00000000-0000-0000-0000-000000000000"
# As the real one, it names the position when it is asked for it; then it says how it was started.
DATABASE = """
for word; do
    case $word in
        --wsrep-recover) recover=yes ;;
        --log-error=*) log=${word#*=} ;;
    esac
done
if [ -n "$recover" ]; then
    echo "WSREP: Recovered position: $POSITION" >"$log"
else
    echo "mariadbd $*" >&2
fi
"""
INSTALL = """
for word; do
    case $word in --datadir=*) data=${word#*=} ;; esac
done
echo fresh >"$data/ibdata1"
[ -z "$CUT" ] || exit 1
mkdir "$data/mysql" "$data/performance_schema"
"""
WITHIN_S = 30


@pytest.fixture
def node(tmp_path: Path) -> GaleraNode:
    return GaleraNode(tmp_path)


@pytest.fixture
def another_answers() -> Iterator[None]:
    """Of the group; which cluster it is of, the client is told."""
    with socket.create_server((NODES[0], GROUP_PORT)):
        yield


def begins(node: GaleraNode, **how: str) -> tuple[int, str]:
    """How it ended, and what it and its database said."""
    cluster = how.pop("cluster", "")
    client = f"printf 'wsrep_cluster_state_uuid\\t{cluster}\\n'" if cluster else "exit 1"
    process = node.start(
        {"mariadbd": DATABASE, "mariadb": client, "mariadb-install-db": INSTALL}, **how
    )
    return process.wait(timeout=WITHIN_S), end(process)


def was_in(node: GaleraNode, cluster: str) -> None:
    (node.data / "mysql").mkdir(parents=True)
    (node.data / "gvwstate.dat").write_text("of a group")
    (node.data / "grastate.dat").write_text(state_of(cluster))


def state_of(cluster: str, *, was_last: bool = False) -> str:
    return f"version: 2.1\nuuid:    {cluster}\nseqno:   -1\nsafe_to_bootstrap: {int(was_last)}\n"


@pytest.mark.usefixtures("another_answers")
def test_a_node_with_data_never_joins_another_cluster(node: GaleraNode) -> None:
    was_in(node, OWN)
    code, told = begins(node, name=NODES[1], cluster=THEIRS, POSITION=f"{OWN}:17")
    assert code == 1
    assert f"has data of cluster {OWN}, and {NODES[0]} is of cluster {THEIRS}" in told
    assert "mariadbd --" not in told


@pytest.mark.usefixtures("another_answers")
@pytest.mark.parametrize(
    ("saved", "position"), [(OWN, f"{OWN}:17"), (NOTHING, f"{OWN}:17"), (OWN, "")]
)
def test_what_its_tables_say_counts_and_else_its_state(
    node: GaleraNode, saved: str, position: str
) -> None:
    was_in(node, saved)
    code, told = begins(node, name=NODES[1], cluster=THEIRS, POSITION=position)
    assert (code, "mariadbd --" in told) == (1, False), told
    code, told = begins(node, name=NODES[1], cluster=OWN, POSITION=position)
    assert (code, "mariadbd --" in told) == (0, True), told


@pytest.mark.usefixtures("another_answers")
def test_a_node_without_data_joins_any_cluster(node: GaleraNode) -> None:
    was_in(node, NOTHING)
    code, told = begins(node, name=NODES[1], cluster=THEIRS, POSITION=f"{NOTHING}:-1")
    assert (code, "mariadbd --" in told) == (0, True), told


def test_the_first_start_makes_data_and_users(node: GaleraNode, tmp_path: Path) -> None:
    setup = tmp_path / "setup.sql"
    setup.write_text("CREATE USER 'mds' IDENTIFIED BY '@MDS_DATABASE_PASSWORD@';\n")
    code, told = begins(node, GALERA_SETUP=str(setup), MDS_DATABASE_PASSWORD="a&b/c'd\\e")
    assert (code, "--wsrep-new-cluster" in told) == (0, True), told
    written = node.run / "setup.sql"
    assert written.read_text() == "CREATE USER 'mds' IDENTIFIED BY 'a&b/c''d\\\\e';\n"
    assert written.stat().st_mode & 0o077 == 0
    made = {"ibdata1", "mysql", "performance_schema", "setup-is-due"}
    assert {each.name for each in node.data.iterdir()} == made


def test_a_first_start_that_was_cut_off_begins_again(node: GaleraNode) -> None:
    code, told = begins(node, CUT="yes")
    assert (code, "mariadbd --" in told) == (1, False), told
    (node.data / "performance_schema").mkdir()  # as if it had been cut off while it moved things
    code, told = begins(node)
    assert (code, "--wsrep-new-cluster" in told) == (0, True), told
    assert not (node.data / "installing").exists()
    assert (node.data / "ibdata1").read_text() == "fresh\n"
    # And when only the database itself had not come up yet.
    (node.run / "setup.sql").unlink()
    code, told = begins(node)
    assert (code, (node.run / "setup.sql").exists()) == (0, True), told


def test_tables_that_lost_their_dictionary_are_not_overwritten(node: GaleraNode) -> None:
    node.data.mkdir()
    (node.data / "ibdata1").write_text("beam time")
    code, told = begins(node)
    assert code == 1
    assert "has tables, but no folder mysql" in told
    assert (node.data / "ibdata1").read_text() == "beam time"


@pytest.mark.parametrize("state", ["", state_of(NOTHING), state_of(NOTHING, was_last=True)])
def test_a_state_that_was_never_written_is_a_first_start_again(
    node: GaleraNode, state: str
) -> None:
    (node.data / "mysql").mkdir(parents=True)
    (node.data / "grastate.dat").write_text(state)
    code, told = begins(node, POSITION=f"{NOTHING}:-1")
    assert (code, "--wsrep-new-cluster --init-file=" in told) == (0, True), told
    assert not (node.data / "grastate.dat").exists(), "it may say that founding is not safe"


@pytest.mark.parametrize("has", ["mds", "sst_in_progress"])
def test_data_without_a_state_is_never_founded_over(node: GaleraNode, has: str) -> None:
    for each in ("mysql", has):
        (node.data / each).mkdir(parents=True)
    (node.data / "grastate.dat").touch()
    (node.data / "gvwstate.dat").write_text("of a group")
    code, told = begins(node, POSITION=f"{OWN}:17")
    assert (code, "mariadbd --" in told) == (0, True), told
    assert "--wsrep-new-cluster" not in told
    assert f"--wsrep_start_position={OWN}:17" in told


def test_the_last_one_founds_the_same_cluster_again(node: GaleraNode) -> None:
    was_in(node, OWN)
    (node.data / "grastate.dat").write_text(state_of(OWN, was_last=True))
    code, told = begins(node, POSITION=f"{OWN}:17")
    assert code == 0
    assert f"--wsrep_start_position={OWN}:17 --wsrep-new-cluster" in told


@pytest.mark.usefixtures("another_answers")
@pytest.mark.parametrize(("status", "founds"), [("Primary", False), ("non-Primary", True)])
def test_the_last_one_founds_unless_another_one_serves(
    node: GaleraNode, status: str, *, founds: bool
) -> None:
    """Who only answers the group may wait there for this one."""
    was_in(node, OWN)
    (node.data / "grastate.dat").write_text(state_of(OWN, was_last=True))
    client = f"""
case $* in
    *wsrep_cluster_status*) printf 'wsrep_cluster_status\\t{status}\\n' ;;
    *) printf 'wsrep_cluster_state_uuid\\t{OWN}\\n' ;;
esac
"""
    process = node.start(
        {"mariadbd": DATABASE, "mariadb": client, "sleep": "exec /bin/sleep 0.1"},
        name=NODES[1],
        POSITION=f"{OWN}:17",
    )
    code, told = process.wait(timeout=WITHIN_S), end(process)
    assert (code, "--wsrep-new-cluster" in told) == (0, founds), told


@pytest.mark.usefixtures("another_answers")
def test_the_last_one_founds_nothing_while_another_one_has_no_answer_left(
    node: GaleraNode,
) -> None:
    """It takes clients, and may serve so many that it has no place for one more."""
    was_in(node, OWN)
    (node.data / "grastate.dat").write_text(state_of(OWN, was_last=True))
    with socket.create_server((NODES[0], 0)) as crowded:
        process = node.start(
            {"mariadbd": DATABASE, "mariadb": "exit 1", "sleep": "exec /bin/sleep 0.1"},
            name=NODES[1],
            POSITION=f"{OWN}:17",
            GALERA_PORT=str(crowded.getsockname()[1]),
        )
        code, told = process.wait(timeout=WITHIN_S), end(process)
    assert (code, "--wsrep-new-cluster" in told) == (0, False), told


def test_users_are_made_again_until_they_were_made(node: GaleraNode) -> None:
    """By the founder, which was cut off before it had made them."""
    lives = DATABASE.replace('echo "mariadbd $*" >&2', 'echo "mariadbd $*" >&2; exec sleep 3')
    told = []
    for client in ("exit 1", "exit 0", "exit 0"):
        process = node.start(
            {"mariadbd": lives, "mariadb": client, "mariadb-install-db": INSTALL},
            POSITION=f"{OWN}:17",
        )
        assert process.wait(timeout=WITHIN_S) == 0
        told.append(end(process))
        (node.data / "grastate.dat").write_text(state_of(OWN, was_last=True))
    assert ["--init-file=" in each for each in told] == [True, True, False], told
