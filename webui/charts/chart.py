"""Charts worked out of samples: what the browser draws, and the same as SVG and as a table."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from google.protobuf.duration_pb2 import Duration
from mds.v1 import overview_pb2, state_pb2

from webui import vocabulary
from webui.charts.drawing import Drawing, drawing
from webui.translation import _, gettext_noop

Sample = overview_pb2.Sample
Value = float | None
# Without a sample for so many steps the line is broken.
GAP_STEPS = 2.5
COLOURED = {mark.tone for mark in vocabulary.HEALTH.values()}
ROWS = 24


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart.

    Attributes:
        tone: CSS class that colours it; each has a pattern of its own, too.
    """

    title: str
    tone: str
    value: Callable[[Sample], Value]


@dataclass(frozen=True, slots=True)
class Kind:
    """One chart.

    Attributes:
        unit: what its values are in.
    """

    id: str
    title: str
    unit: str
    lines: tuple[Line, ...]


def units(health: int) -> Callable[[Sample], Value]:
    return lambda sample: next(
        (each.count for each in sample.health_counts if each.health == health), 0
    )


def a_minute(count: Callable[[Sample], int]) -> Callable[[Sample], Value]:
    def value(sample: Sample) -> Value:
        seconds = sample.span.ToMilliseconds() / 1000
        return count(sample) / seconds * 60 if seconds else None

    return value


def seconds_of(
    field: Literal["heartbeat_age_median", "heartbeat_age_worst"],
) -> Callable[[Sample], Value]:
    def value(sample: Sample) -> Value:
        age: Duration = getattr(sample, field)
        return age.ToMilliseconds() / 1000 if sample.HasField(field) else None

    return value


A_MINUTE = gettext_noop("a minute")
KINDS = (
    Kind(
        "health",
        gettext_noop("Units that are not good"),
        gettext_noop("units"),
        tuple(
            Line(vocabulary.HEALTH[value].word, vocabulary.HEALTH[value].tone, units(value))
            for value in (
                state_pb2.HEALTH_BAD,
                state_pb2.HEALTH_WARNING,
                state_pb2.HEALTH_UNKNOWN,
                state_pb2.HEALTH_CHANGING,
            )
        ),
    ),
    Kind(
        "heartbeats",
        gettext_noop("Age of heartbeats"),
        gettext_noop("seconds"),
        (
            Line(gettext_noop("Oldest"), "first", seconds_of("heartbeat_age_worst")),
            Line(gettext_noop("Median"), "second", seconds_of("heartbeat_age_median")),
        ),
    ),
    Kind(
        "registrations",
        gettext_noop("Registrations"),
        A_MINUTE,
        (
            Line(
                gettext_noop("Unit servers"),
                "first",
                a_minute(lambda sample: sample.registrations),
            ),
        ),
    ),
    Kind(
        "changes",
        gettext_noop("Changes"),
        A_MINUTE,
        (
            Line(gettext_noop("By people"), "first", a_minute(lambda sample: sample.changes)),
            Line(gettext_noop("Reported"), "second", a_minute(lambda sample: sample.reports)),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Series:
    """A line with its values.

    Attributes:
        now: the last value in words; empty: there is none.
    """

    title: str
    tone: str
    values: tuple[Value, ...]
    now: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its values."""

    id: str
    title: str
    unit: str
    series: tuple[Series, ...]
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Charts:
    """All charts of one range.

    Attributes:
        times: of the values, in s since 1970.
        end: of the range, in s since 1970.
        offset: of the page's clock from UTC, in s.
        rows: some times and the values then, in the order of the charts' lines.
    """

    times: tuple[float, ...]
    end: float
    offset: int
    charts: tuple[Chart, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def charts_of(listed: overview_pb2.ListSamplesResponse, *, range_s: int) -> Charts:
    """
    Args:
        range_s: what the time axes reach back to.
    """
    samples = with_gaps(listed.samples, listed.step.ToSeconds())
    end = listed.time.ToMilliseconds() / 1000
    times = tuple(each.time.ToMilliseconds() / 1000 for each in samples)
    offset = datetime.now(UTC).astimezone().utcoffset()
    made = tuple(chart_of(kind, samples, times, (end - range_s, end)) for kind in KINDS)
    return Charts(
        times,
        end,
        round(offset.total_seconds()) if offset else 0,
        made,
        tuple(rows_of(made, times, long=range_s > 86_400)),
    )


def with_gaps(samples: Sequence[Sample], step_s: int) -> list[Sample]:
    """With a sample that tells nothing wherever some are missing."""
    found: list[Sample] = []
    for sample in samples:
        if found and sample.time.seconds - found[-1].time.seconds > GAP_STEPS * step_s:
            nothing = Sample()
            nothing.time.FromSeconds(found[-1].time.seconds + step_s)
            found.append(nothing)
        found.append(sample)
    return found


def chart_of(
    kind: Kind, samples: Sequence[Sample], times: Sequence[float], span: tuple[float, float]
) -> Chart:
    series = tuple(series_of(line, samples) for line in kind.lines)
    return Chart(
        kind.id,
        _(kind.title),
        _(kind.unit),
        series,
        drawing([(each.tone, each.values) for each in series], times, span),
    )


def series_of(line: Line, samples: Sequence[Sample]) -> Series:
    values = [
        # What is nothing but a gap has no span.
        line.value(sample) if sample.HasField("span") else None
        for sample in samples
    ]
    now = written(values[-1] if values else None)
    if line.tone in COLOURED:
        values = without_calm(values)
    return Series(_(line.title), line.tone, tuple(values), now)


def without_calm(values: Sequence[Value]) -> list[Value]:
    """Without the zeros that lie between zeros: only what is not good has a colour."""
    around = [None, *values, None]
    return [
        value if value or around[index] or around[index + 2] else None
        for index, value in enumerate(values)
    ]


def rows_of(
    charts: Sequence[Chart], times: Sequence[float], *, long: bool
) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Newest first."""
    every = max(1, -(-len(times) // ROWS))
    for index in range(len(times) - 1, -1, -every):
        at = datetime.fromtimestamp(times[index]).astimezone()
        values = tuple(written(each.values[index]) for chart in charts for each in chart.series)
        yield f"{at:%Y-%m-%d %H:%M}" if long else f"{at:%H:%M:%S}", values


def written(value: Value) -> str:
    """Three figures are enough."""
    if value is None:
        return "–"
    if value == 0 or value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value != round(value) else f"{value:.0f}"
