"""Samples of the whole facility, for charts: one row each, which costs no revision."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Row, Table, func, select

from metadata_server.domain.life.overview import Tally
from metadata_server.domain.life.state import WORST_FIRST
from metadata_server.domain.sample import (
    COARSE_US,
    FINE_KEPT_US,
    FINE_US,
    GAP_US,
    LATE_US,
    Sample,
    thinned,
)
from metadata_server.store.chores import trim
from metadata_server.store.schema import (
    KEY,
    OPTIONS,
    change_set,
    lease,
    metadata,
    session,
    status_history,
)
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_missing

sample = Table(
    "sample",
    metadata,
    Column("step_us", KEY, nullable=False),
    Column("time_us", KEY, nullable=False),
    Column("span_us", KEY, nullable=False),
    Column("registrations", KEY, nullable=False),
    Column("changes", KEY, nullable=False),
    Column("reports", KEY, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("beat_median_us", KEY, nullable=False),
    Column("beat_worst_us", KEY, nullable=False),
    Column("good", Integer, nullable=False),
    Column("changing", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("warning", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("in_maintenance", Integer, nullable=False),
    PrimaryKeyConstraint("step_us", "time_us"),
    **OPTIONS,
)
"""`step_us` is FINE_US or COARSE_US; `time_us` a multiple of it, or the last fine one of it."""

ROW = sample.c
FIGURES = (
    "time_us",
    "span_us",
    "registrations",
    "changes",
    "reports",
    "sessions",
    "beat_median_us",
    "beat_worst_us",
    "in_maintenance",
)
HEALTHS = tuple(reversed(WORST_FIRST))


def take_sample(unit: UnitOfWork, tally: Tally, *, time_us: int) -> None:
    """Writes how the facility is and what happened since the sample before; makes of the fine
    samples of whole steps the coarse ones that are kept for long.

    Args:
        tally: all control units.
        time_us: a multiple of FINE_US; a sample of this time that is there stays.
    """
    last = unit.connection.execute(
        select(func.max(ROW.time_us)).where(ROW.step_us == FINE_US, ROW.time_us < time_us)
    ).scalar_one()
    span_us = time_us - last if last and time_us - last < GAP_US else FINE_US
    write(unit, [measured(unit, tally, time_us=time_us, span_us=span_us)], FINE_US)
    write(unit, finished_steps(unit, time_us), COARSE_US)


def measured(unit: UnitOfWork, tally: Tally, *, time_us: int, span_us: int) -> Sample:
    until_us = time_us - LATE_US
    since_us = until_us - span_us

    def happened(time: Column[int]) -> int:
        query = select(func.count()).where(time > since_us, time <= until_us)
        return int(unit.connection.execute(query).scalar_one())

    beats = select(lease.c.beat_us).where(lease.c.ended.is_(False))
    ages = [max(0, unit.now_us - at) for at in unit.connection.execute(beats).scalars()]
    return Sample(
        time_us=time_us,
        span_us=span_us,
        registrations=happened(session.c.start_time_us),
        changes=happened(change_set.c.time_us),
        reports=happened(status_history.c.time_us),
        sessions=len(ages),
        beat_median_us=round(statistics.median(ages)) if ages else 0,
        beat_worst_us=max(ages, default=0),
        in_maintenance=tally.in_maintenance,
        healths=tally.healths,
    )


def finished_steps(unit: UnitOfWork, time_us: int) -> list[Sample]:
    """What the fine samples of the coarse steps that have ended give together."""
    end_us = time_us // COARSE_US * COARSE_US
    last = unit.connection.execute(
        # None that a clock wrote which was ahead: they may lie years ahead.
        select(func.max(ROW.time_us)).where(ROW.step_us == COARSE_US, ROW.time_us <= end_us)
    ).scalar_one()
    begin_us = max(last or 0, end_us - FINE_KEPT_US)
    if begin_us > end_us - COARSE_US:
        return []
    return thinned(samples(unit, begin_us, end_us, step_us=FINE_US), COARSE_US)


def samples(unit: UnitOfWork, begin_us: int, end_us: int, *, step_us: int) -> Iterable[Sample]:
    """Those after a time, up to another, by time.

    Args:
        step_us: FINE_US or COARSE_US.
    """
    query = (
        select(*(ROW[name] for name in (*FIGURES, *map(str.lower, HEALTHS))))
        .where(ROW.step_us == step_us, ROW.time_us > begin_us, ROW.time_us <= end_us)
        .order_by(ROW.time_us)
    )
    return map(sample_of, unit.connection.execute(query))


def write(unit: UnitOfWork, found: Iterable[Sample], step_us: int) -> None:
    rows = [row_of(each, step_us) for each in found]
    if rows:
        insert_missing(unit.connection, sample, rows)


def row_of(told: Sample, step_us: int) -> dict[str, Any]:
    return {
        "step_us": step_us,
        **{name: getattr(told, name) for name in FIGURES},
        **{health.lower(): told.healths.get(health, 0) for health in HEALTHS},
    }


def sample_of(row: Row[Any]) -> Sample:
    figures, healths = row[: len(FIGURES)], row[len(FIGURES) :]
    return Sample(
        **dict(zip(FIGURES, figures, strict=True)),
        healths=dict(zip(HEALTHS, healths, strict=True)),
    )


def trim_fine_samples(unit: UnitOfWork, before_us: int) -> int:
    return trim(unit, sample, ROW.time_us, before_us, ROW.step_us == FINE_US)


def trim_coarse_samples(unit: UnitOfWork, before_us: int) -> int:
    return trim(unit, sample, ROW.time_us, before_us, ROW.step_us == COARSE_US)
