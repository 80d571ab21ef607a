"""What the charts show: a few figures of the whole facility, told again and again."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from metadata_server.domain.life.state import Health

FINE_US = 10_000_000
"""Time between two samples."""
COARSE_US = 600_000_000
"""So much time becomes one sample where it is kept for long."""
FINE_KEPT_US = 86_400_000_000
COARSE_KEPT_US = 90 * FINE_KEPT_US
LATE_US = 2_000_000
"""What happened is counted so late: by then every transaction that it was part of has ended."""
GAP_US = 60_000_000
"""After so long without a sample nobody knows what happened meanwhile."""
MOST_SAMPLES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How the facility was at one time, and what happened in the time before.

    Attributes:
        time_us: end of the time that it tells of.
        span_us: length of that time.
        registrations: of unit servers.
        changes: that people or programs made, in change sets.
        reports: of states, in images.
        sessions: unit servers in session.
        beat_median_us: age of their last heartbeats; 0: nobody was in session.
        beat_worst_us: age of the oldest of these.
        healths: control units by verdict; those that are not named: none.
    """

    time_us: int
    span_us: int = FINE_US
    registrations: int = 0
    changes: int = 0
    reports: int = 0
    sessions: int = 0
    beat_median_us: int = 0
    beat_worst_us: int = 0
    in_maintenance: int = 0
    healths: Mapping[Health, int] = field(default_factory=dict)

    @property
    def badness(self) -> tuple[int, ...]:
        """How bad it was, by what is worst first."""
        return tuple(self.healths.get(h, 0) for h in (Health.BAD, Health.WARNING, Health.UNKNOWN))


def thinned(samples: Iterable[Sample], step_us: int) -> list[Sample]:
    """One sample for each step, by time: what happened is added up, and of how the facility
    was the worst moment is kept, so that a short outage is seen a week later.

    Args:
        samples: by time.
    """
    steps = groupby(samples, key=lambda each: step_of(each.time_us, step_us))
    return [together(list(found)) for _, found in steps]


def step_of(time_us: int, step_us: int) -> int:
    """The end of the step that a time belongs to."""
    return -(-time_us // step_us) * step_us


def together(samples: Sequence[Sample]) -> Sample:
    """Several samples as one, at the time of the last."""
    if len(samples) == 1:
        return samples[0]
    worst = max(samples, key=lambda each: each.badness)
    in_session = [each.beat_median_us for each in samples if each.beat_worst_us]
    return Sample(
        time_us=samples[-1].time_us,
        span_us=sum(each.span_us for each in samples),
        registrations=sum(each.registrations for each in samples),
        changes=sum(each.changes for each in samples),
        reports=sum(each.reports for each in samples),
        sessions=worst.sessions,
        beat_median_us=round(statistics.median(in_session)) if in_session else 0,
        beat_worst_us=max(each.beat_worst_us for each in samples),
        in_maintenance=worst.in_maintenance,
        healths=worst.healths,
    )
