"""Several clusters beside each other: most of a round is waiting.

Each lane has a network, a /run and a place for its files of its own, as on a machine of its own.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from deploy.processes.network import HOSTS
from tests.chaos.stage import PLACE

T = TypeVar("T")
# Whoever takes a network down removes the folder of its hosts when it is empty; this one cannot go.
OWN_MACHINE = f"""
ip link set lo up
mount -t sysfs sysfs /sys
mkdir -p {HOSTS} {PLACE}
for folder in /run {HOSTS} {PLACE}; do mount -t tmpfs tmpfs $folder; done
mkdir /run/netns {HOSTS}/kept
exec "$@"
"""


class Lane(NamedTuple):
    """One of some, from 1 on."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Lane":
        number, _, of = text.partition("/")
        return cls(int(number), int(of))

    def share(self, faults: Sequence[T]) -> Sequence[T]:
        return faults[self.number - 1 :: self.of]

    def order(self, loads: Sequence[T]) -> Sequence[T]:
        """The same for all, but no two begin with the same: the heaviest are not to meet."""
        first = (self.number - 1) * len(loads) // self.of
        return [*loads[first:], *loads[:first]]


async def run_lanes(count: int, words: Sequence[str]) -> None:
    """Runs this program as often as there are lanes, until all have ended.

    Args:
        words: after the program's name.
    """
    lanes = [
        await asyncio.create_subprocess_exec(
            "unshare", "--net", "--mount", "--propagation=private", "sh", "-ec", OWN_MACHINE, "lane",
            sys.executable, "-m", "tests.chaos", *words, f"--lane={number}/{count}",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        for number in range(1, count + 1)
    ]  # fmt: skip
    try:
        await asyncio.gather(*(each.wait() for each in lanes))
    finally:
        for each in lanes:
            if each.returncode is None:
                each.terminate()
        await asyncio.gather(*(each.wait() for each in lanes))
