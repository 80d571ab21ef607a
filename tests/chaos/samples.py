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
SURE = "99.9 %"
"""A soak judges some sixty figures: of sixty intervals of 95 %, three would miss what is so."""
# Of Student's distribution with BLOCKS - 2 degrees of freedom, two-sided.
_T = 4.587
WARM_UP = 1 / 3
"""Share of a life that is left out: caches fill, and pools of connections."""
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
        part: of the time.
    """

    service: str
    pid: int
    at: float
    figures: tuple[float, ...]
    part: str = ""


@dataclass(frozen=True, slots=True)
class Slope:
    """How fast something grows.

    Attributes:
        per_hour: the best line through means of blocks.
        uncertain: half of its interval, as sure as `SURE` says.
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
    """One process of a service, in one part of the time: what it holds may be another in the next.

    Attributes:
        seconds: it was looked at for so long.
        most: of each, the largest.
        slopes: in the order of `WHAT`; empty: it was too short for them.
    """

    part: str
    service: str
    pid: int
    seconds: float
    most: Sequence[float]
    slopes: Sequence[Slope]

    @property
    def is_judged(self) -> bool:
        return bool(self.slopes)

    @property
    def growing(self) -> list[str]:
        """What it holds more and more of."""
        return [
            what
            for what, each in zip(WHAT, self.slopes, strict=False)
            if each.per_hour > 0 and not each.is_flat
            if what != WHAT[0] or not self._is_within_bounds
        ]

    @property
    def _is_within_bounds(self) -> bool:
        """Of a memory that is to be filled."""
        return any(
            self.service.startswith(name) and self.most[0] <= most
            for name, most in BOUNDED_MB.items()
        )


def sample(service: str, pid: int, part: str) -> Sample:
    """
    Raises:
        psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError: it has just ended.
    """
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    figures = [_held(each.pid) for each in family]
    held = tuple(map(sum, zip(*figures, strict=True)))
    return Sample(service, pid, time.monotonic(), held, part)


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
    """All, also those that are too short to be judged."""
    found: dict[tuple[str, str, int], list[Sample]] = {}
    for each in samples:
        found.setdefault((each.part, each.service, each.pid), []).append(each)
    return [_life(*of, seen) for of, seen in found.items()]


def _life(part: str, service: str, pid: int, seen: Sequence[Sample]) -> Life:
    seconds = seen[-1].at - seen[0].at
    is_judged = seconds >= JUDGED_S and len(seen) * (1 - WARM_UP) >= 2 * BLOCKS
    courses = [[(each.at, each.figures[place]) for each in seen] for place in range(len(WHAT))]
    most = [max(value for _, value in course) for course in courses]
    return Life(part, service, pid, seconds, most, [*map(slope, courses)] if is_judged else [])


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
    return Slope(line.slope, _T * error, statistics.fmean(values))
