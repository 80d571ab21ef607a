"""Work that one replica does for all, now and then: what is old is trimmed."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, Table, delete, select

from metadata_server.store.due import is_due
from metadata_server.store.keys import TUPLES, batches, is_one_of
from metadata_server.store.schema import chore, request, sighting
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows

TRIM = "trim"
TRIMMED = "trimmed"
"""No chore: `due_us` is the time up to which trimming has come, 0 before it ever has."""
CONDITIONS = "conditions"
SAMPLE = "sample"
TRIM_ROWS = 2_000
"""Rows of each table that one transaction deletes at most."""


def claim_chore(
    unit: UnitOfWork, name: str, *, every_us: int, again_in_us: int | None = None
) -> bool:
    """Takes a chore that is due; False: it is not, or another replica has taken it.

    Args:
        every_us: how often it is done; it is never put off for longer.
        again_in_us: when it is due again, where that is sooner.
    """
    # Twice as long, as a clock that is set back by little makes nothing due.
    due = is_due(chore.c.due_us, unit.now_us, longest_us=2 * every_us)
    again_us = unit.now_us + (every_us if again_in_us is None else again_in_us)
    taking = chore.update().where(chore.c.name == name, due).values(due_us=again_us)
    return unit.connection.execute(taking).rowcount == 1


def put_off(unit: UnitOfWork, name: str, in_us: int) -> None:
    """Says when a chore is due again, after all."""
    unit.connection.execute(
        chore.update().where(chore.c.name == name).values(due_us=unit.now_us + in_us)
    )


def trim_requests(unit: UnitOfWork, before_us: int) -> int:
    return trim(unit, request, request.c.time_us, before_us)


def trim_sightings(unit: UnitOfWork, before_us: int) -> int:
    return trim(unit, sighting, sighting.c.last_time_us, before_us)


def time_to_trim_at(unit: UnitOfWork, *, most_us: int) -> int:
    """The time that trimming takes for now: no later than the clock says, and no more than `most_us`
    after the time that it took when it last came to an end.

    A clock that is ahead for a moment would else have it delete what is to be kept, and nothing
    tells such a moment from one after a long rest, but that it passes.
    """
    query = select(chore.c.due_us).where(chore.c.name == TRIMMED)
    last_us = int(unit.connection.scalar(query) or 0)
    return min(unit.now_us, last_us + most_us) if last_us else unit.now_us


def end_trimming(unit: UnitOfWork, time_us: int) -> None:
    """Takes down that nothing is left to be trimmed at a time."""
    upsert_rows(unit.connection, chore, [{"name": TRIMMED, "due_us": time_us}])


def time_until(unit: UnitOfWork, name: str) -> int:
    """For how long, in us, a chore is not due yet."""
    query = select(chore.c.due_us).where(chore.c.name == name)
    return max(0, int(unit.connection.execute(query).scalar_one()) - unit.now_us)


def trim(
    unit: UnitOfWork,
    table: Table,
    time: Column[int],
    before_us: int,
    *conditions: ColumnElement[bool],
) -> int:
    """Deletes some of the oldest rows from before a time; how many.

    They are named first and deleted by their key: deleting a range would lock what others
    insert meanwhile.
    """
    keys = list(table.primary_key)
    query = select(*keys).where(*conditions, time < before_us).order_by(time).limit(TRIM_ROWS)
    count = 0
    for some in batches(sorted(tuple(row) for row in unit.connection.execute(query)), TUPLES):
        unit.connection.execute(delete(table).where(is_one_of(keys, some)))
        count += len(some)
    return count
