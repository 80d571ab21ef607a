"""`make cluster`: one a machine, and cables that tests cut and slow down."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.processes.cluster import Cluster
from deploy.processes.container_process import Failed
from deploy.processes.one_at_a_time import OnlyOne
from deploy.processes.slow_link import is_of
from deploy.processes.topology import COMPOSE, read_topology
from tests.stages.requirements import needs

ROOT = COMPOSE.parent
HOST = socket.inet_aton("10.77.0.20")


def test_it_says_which_services_it_leaves_out() -> None:
    """And is refused: whoever has no rights in this machine's networks has no cluster."""
    done = subprocess.run(
        ["unshare", "--user", sys.executable, "-m", "deploy.processes"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    needs(done.stderr if done.stderr.startswith("unshare: ") else "")
    assert (done.returncode, done.stderr) == (
        1,
        "The cluster cannot run here: only root makes network namespaces.\n",
    )
    assert done.stdout == "Left out, as Debian has no package of it: grafana.\n"


async def test_a_second_cluster_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    first = OnlyOne(tmp_path / "lock")
    first.take(tmp_path / "first")
    second = Cluster(read_topology(), tmp_path / "second", OnlyOne(tmp_path / "lock"))
    with pytest.raises(Failed, match=rf"process {os.getpid()} .*{tmp_path}/first.* End that one"):
        await second.up()
    await second.down()  # would remove the interfaces of the first
    with pytest.raises(Failed):
        OnlyOne(tmp_path / "lock").take(tmp_path)
    first.give_back()
    third = OnlyOne(tmp_path / "lock")
    third.take(tmp_path)
    third.give_back()


def frame(source: str, source_port: int, target: str, target_port: int, *, protocol: int) -> bytes:
    ethernet = bytes(12) + b"\x08\x00"
    header = bytes([0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0])
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    return ethernet + header + addresses + source_port.to_bytes(2, "big") + target_port.to_bytes(2, "big")  # fmt: skip


@pytest.mark.parametrize(
    ("source", "target", "protocol", "expected"),
    [
        (("10.77.0.31", 40_000), ("10.77.0.20", 3306), socket.IPPROTO_TCP, True),
        (("10.77.0.20", 3306), ("10.77.0.31", 40_000), socket.IPPROTO_TCP, True),
        (("10.77.0.20", 40_000), ("10.77.0.11", 3306), socket.IPPROTO_TCP, False),
        (("10.77.0.31", 3306), ("10.77.0.20", 7400), socket.IPPROTO_TCP, False),
        (("10.77.0.31", 40_000), ("10.77.0.20", 3306), socket.IPPROTO_UDP, False),
    ],
)
def test_only_one_port_of_one_host_is_slow(
    source: tuple[str, int], target: tuple[str, int], protocol: int, *, expected: bool
) -> None:
    told = frame(*source, *target, protocol=protocol)
    assert is_of(told, HOST, (3306).to_bytes(2, "big")) is expected
