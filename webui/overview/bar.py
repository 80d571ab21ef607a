"""A bar of verdicts: how much of a whole is good, and how much is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mds.v1 import overview_pb2

from webui import vocabulary

WIDTH = 1000
# So that one bad unit among thousands is still seen.
SMALLEST = 12


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar, of WIDTH in all."""

    tone: str
    start: int
    width: int


def health_bar(counts: Sequence[overview_pb2.HealthCount]) -> tuple[Segment, ...]:
    """The verdicts side by side, worst first, none that is there too small to be seen."""
    return _bar_of(tuple([(each.health, each.count) for each in counts]))


@lru_cache(1_024)
def _bar_of(counts: tuple[tuple[int, int], ...]) -> tuple[Segment, ...]:
    there = sorted((each for each in counts if each[1] > 0), reverse=True)
    total = sum(count for _, count in there)
    segments: list[Segment] = []
    start = 0
    for index, (value, count) in enumerate(there):
        left = len(there) - index - 1
        width = max(SMALLEST, round(WIDTH * count / total))
        width = WIDTH - start if left == 0 else min(width, WIDTH - start - left * SMALLEST)
        segments.append(Segment(vocabulary.health(value).tone, start, width))
        start += width
    return tuple(segments)
