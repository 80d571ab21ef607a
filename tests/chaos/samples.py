"""What processes hold, again and again, and whether it grows."""

import math
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

BLOCKS = 12
# Of Student's distribution with BLOCKS - 2 degrees of freedom, two-sided 95 %.
_T_95 = 2.228
WARM_UP = 0.2
"""Share of a life that is left out: caches fill."""
JUDGED_S = 1_200.0
"""A shorter life says nothing of hours: it has not yet filled what it keeps."""
BOUNDED_MB = {"galera": 1_400.0}
"""By the beginning of a service's name: what its memory may come to. A database fills what it was
given, 512 MB for pages and 256 for the group, for as long as there is more data."""
WHAT = ("memory, MiB", "descriptors", "threads", "connections")


class Sample(msgspec.Struct, frozen=True, tag="sample"):
    """Of one life of a service: its process, and those that this one started.

    Attributes:
        at: s of this machine's monotonic clock.
        figures: in the order of `WHAT`.
    """

    service: str
    pid: int
    at: float
    figures: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Slope:
    """How fast something grows.

    Attributes:
        per_hour: the best line through means of blocks.
        uncertain: half of its 95 % interval.
        mean: of all that was looked at.
    """

    per_hour: float
    uncertain: float
    mean: float

    @property
    def is_flat(self) -> bool:
        """It cannot be told from 0, or would be nothing within a day."""
        return (
            abs(self.per_hour) <= self.uncertain
            or abs(self.per_hour) * 24 < 0.05 * max(1.0, self.mean)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Life:
    """One process of a service.

    Attributes:
        seconds: it was looked at for so long.
        most: of each, the largest.
        slopes: in the order of `WHAT`.
    """

    service: str
    pid: int
    seconds: float
    most: Sequence[float]
    slopes: Sequence[Slope]

    @property
    def grows(self) -> bool:
        memory, *others = self.slopes
        judged = others if self._is_within_bounds else [memory, *others]
        return self.seconds >= JUDGED_S and any(
            not each.is_flat and each.per_hour > 0 for each in judged
        )

    @property
    def _is_within_bounds(self) -> bool:
        """Of a memory that is to be filled."""
        return any(
            self.service.startswith(name) and self.most[0] <= most
            for name, most in BOUNDED_MB.items()
        )


def sample(service: str, pid: int) -> Sample:
    """
    Raises:
        psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError: it has just ended.
    """
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    figures = [_held(each.pid) for each in family]
    return Sample(
        service, pid, time.monotonic(), tuple(map(sum, zip(*figures, strict=True)))
    )  # fmt: skip


def _held(pid: int) -> tuple[float, ...]:
    folder = Path("/proc") / str(pid)
    status = dict(
        line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line
    )
    opened = [str(each.readlink()) for each in (folder / "fd").iterdir() if each.is_symlink()]
    return (
        int(status.get("VmRSS", "0").split()[0]) / 1024,
        float(len(opened)),
        float(status["Threads"]),
        float(sum(each.startswith("socket:") for each in opened)),
    )


def lives(samples: Iterable[Sample]) -> list[Life]:
    """Those with enough samples."""
    found: dict[tuple[str, int], list[Sample]] = {}
    for each in samples:
        found.setdefault((each.service, each.pid), []).append(each)
    return [
        Life(
            service,
            pid,
            life[-1].at - life[0].at,
            [max(each.figures[place] for each in life) for place in range(len(WHAT))],
            [
                slope([(each.at, each.figures[place]) for each in life])
                for place in range(len(WHAT))
            ],
        )
        for (service, pid), life in found.items()
        if len(life) * (1 - WARM_UP) >= 2 * BLOCKS
    ]


def slope(points: Sequence[tuple[float, float]]) -> Slope:
    """Samples next to each other resemble each other: the line goes through means of blocks, and
    how far these are from it tells how sure it is."""
    points = points[int(len(points) * WARM_UP) :]
    size = len(points) / BLOCKS
    blocks = [points[int(size * each) : int(size * (each + 1))] for each in range(BLOCKS)]
    hours = [statistics.fmean(at for at, _ in block) / 3600 for block in blocks]
    values = [statistics.fmean(value for _, value in block) for block in blocks]
    line = statistics.linear_regression(hours, values)
    misses = [
        value - line.intercept - line.slope * hour
        for hour, value in zip(hours, values, strict=True)
    ]
    middle = statistics.fmean(hours)
    spread = sum((hour - middle) ** 2 for hour in hours)
    error = math.sqrt(sum(each**2 for each in misses) / (BLOCKS - 2) / spread)
    return Slope(line.slope, _T_95 * error, statistics.fmean(values))
