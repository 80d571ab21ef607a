"""Real nodes that stop and start: whoever stopped how, the cluster is there again by itself, it is
the same one, and nothing is missing that was acknowledged."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cluster.real_nodes import RealNode, RealNodes
from tests.stages.galera import what_is_missing
from tests.stages.requirements import needs
from tests.stages.waiting import until

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("real_nodes")]


@pytest.fixture(scope="module")
def made() -> Iterator[RealNodes]:
    """Three that have made their first start, and were stopped in good order, the first one last."""
    needs(what_is_missing(join=True))
    needs("" if os.geteuid() == 0 else "Only root may start a node as another user.")
    with tempfile.TemporaryDirectory(prefix="mds-nodes-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the database runs as nobody
        nodes = RealNodes(Path(folder))
        try:
            asyncio.run(first_start(nodes))
            yield nodes
        finally:
            nodes.cut_the_power()


async def first_start(nodes: RealNodes) -> None:
    await nodes.up()
    nodes.nodes[0].sql("CREATE TABLE mds.note (id INT AUTO_INCREMENT PRIMARY KEY)")
    for each in reversed(nodes.nodes):
        await nodes.in_good_order(each)
    nodes.keep()


@pytest.fixture
async def cluster(made: RealNodes) -> AsyncIterator[RealNodes]:
    """They serve."""
    made.bring_back()
    try:
        await made.up()
        yield made
    finally:
        made.cut_the_power()
        for each in made.nodes:
            sys.stdout.write(f"--- {each.address}\n{said(each)}\n")


def said(node: RealNode) -> str:
    lines = node.told.splitlines()
    return "\n".join(line for line in lines if "start.sh" in line or "ERROR" in line)


def write(node: RealNode) -> str:
    """What it has acknowledged."""
    answer = node.sql("INSERT INTO mds.note VALUES (); SELECT LAST_INSERT_ID()")
    assert answer, "it has not acknowledged anything"
    return answer


def notes(node: RealNode) -> set[str]:
    return set(node.sql("SELECT id FROM mds.note").split())


def id_of(node: RealNode) -> str:
    return node.status("wsrep_cluster_state_uuid")


async def test_all_that_stopped_in_good_order_at_once_come_back(cluster: RealNodes) -> None:
    first, _, _ = cluster.nodes
    same, acknowledged = id_of(first), write(first)
    await cluster.in_good_order(*cluster.nodes)
    await cluster.up()
    for each in cluster.nodes:
        assert id_of(each) == same
        assert acknowledged in notes(each)
    assert first.status("wsrep_cluster_size") == "3"


async def test_two_come_back_together_without_one_that_left_before(cluster: RealNodes) -> None:
    first, second, third = cluster.nodes
    same = id_of(first)
    await cluster.in_good_order(first)
    acknowledged = write(second)
    await cluster.in_good_order(second, third)
    first.start()  # It knows less, and waits for them.
    await until(lambda: "comes back from position" in first.told, within=60)
    await cluster.up(second, third)
    await cluster.up()
    for each in cluster.nodes:
        assert id_of(each) == same
        assert acknowledged in notes(each)


async def test_one_that_lost_power_alone_founds_the_same_cluster_again(cluster: RealNodes) -> None:
    first, second, third = cluster.nodes
    same = id_of(first)
    await cluster.in_good_order(second, third)
    acknowledged = write(first)
    first.cut_the_power()
    await cluster.up(first)
    assert id_of(first) == same
    assert acknowledged in notes(first)
    await cluster.up()
    assert all(acknowledged in notes(each) for each in cluster.nodes)


async def test_one_that_waits_since_a_crash_keeps_nobody_from_founding_again(
    cluster: RealNodes,
) -> None:
    first, second, third = cluster.nodes
    same = id_of(first)
    third.cut_the_power()
    await until(lambda: first.status("wsrep_cluster_size") == "2", within=60)
    acknowledged = write(first)
    await cluster.in_good_order(first, second)
    third.start()
    await until(third.listens_to_the_group, within=60)
    await cluster.up()
    for each in cluster.nodes:
        assert id_of(each) == same
        assert acknowledged in notes(each)


async def test_all_that_lost_power_at_once_come_back(cluster: RealNodes) -> None:
    first, _, _ = cluster.nodes
    same, acknowledged = id_of(first), write(first)
    for each in cluster.nodes:
        each.cut_the_power()
    await cluster.up()
    for each in cluster.nodes:
        assert id_of(each) == same
        assert acknowledged in notes(each)


async def test_one_that_stops_by_itself_waits_for_nobody_for_long(cluster: RealNodes) -> None:
    first, second, _ = cluster.nodes
    begun = asyncio.get_running_loop().time()
    await cluster.in_good_order(first)
    assert asyncio.get_running_loop().time() - begun < 30
    assert second.status("wsrep_cluster_size") == "2"


async def test_a_founder_that_lost_power_before_it_had_made_its_users_makes_them(
    made: RealNodes,
) -> None:
    first = made.nodes[0]
    shutil.rmtree(first.data)
    try:
        first.start()
        await until((first.data / "gvwstate.dat").exists, within=60)
        first.cut_the_power()
        assert not (first.data / "mds").exists(), "it was cut off too late to say anything"
        await made.up(first)
        users = "SELECT user FROM mysql.user WHERE user IN ('mds', 'balancer') ORDER BY user"
        assert first.sql(users).split() == ["balancer", "mds"]
        await until(lambda: not (first.data / "setup-is-due").exists())
    finally:
        made.cut_the_power()
