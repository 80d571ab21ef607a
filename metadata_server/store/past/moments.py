"""Moments of the past as revisions of this store."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, select
from sqlalchemy.engine import Connection

from metadata_server.domain.change import Position
from metadata_server.domain.horizon import check_position
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.store.revision import THE_ROW
from metadata_server.store.schema import change_set, horizon, status_history
from metadata_server.store.schema import revision as counter
from metadata_server.store.unit_of_work import UnitOfWork


def position_at(unit: UnitOfWork, moment: Moment | None, kinds: Iterable[Kind]) -> Position:
    """The position of a moment, at which resources of some kinds are to be read.

    A time is the last revision up to it; before the first one that is revision 0. One that has not
    passed is the present: times of revisions are ahead of the clock where that was ahead once.

    Raises:
        Refused: HISTORY_RESET, for a revision that has not come yet; HISTORY_TRIMMED.
    """
    present = unit.position
    if moment is None or (moment.time_us is not None and moment.time_us >= unit.now_us):
        return present
    if moment.revision is not None:
        revision = moment.revision
    else:
        assert moment.time_us is not None
        revision = last_revision(unit.connection, moment.time_us)
    position = Position(present.store_id, present.epoch, revision)
    check_position(position, present)
    check_kept(unit, revision, kinds)
    return position


def ahead_us(unit: UnitOfWork) -> int:
    """By how much the time of the last revision is ahead of the database's clock: as long as it is,
    no time tells what was written since; 0: it is not."""
    last_us = unit.connection.scalar(select(counter.c.time_us).where(counter.c.one == THE_ROW))
    return max(0, int(last_us or 0) - unit.now_us)


def last_revision(connection: Connection, time_us: int) -> int:
    """The last revision up to a time; 0: there is none. Times grow with revisions."""
    return max(
        last_until(connection, change_set.c.revision, change_set.c.time_us, time_us),
        last_until(connection, status_history.c.revision, status_history.c.time_us, time_us),
    )


def last_until(
    connection: Connection, revision: Column[int], time: Column[int], time_us: int
) -> int:
    query = select(revision).where(time <= time_us).order_by(time.desc()).limit(1)
    return int(connection.scalar(query) or 0)


def check_kept(unit: UnitOfWork, revision: int, kinds: Iterable[Kind]) -> None:
    """Passes when everything of some kinds can be read as of a revision.

    Raises:
        Refused: HISTORY_TRIMMED, naming from where on it can.
    """
    wanted = [kind.value for kind in kinds]
    query = select(horizon).where(horizon.c.kind.in_(wanted), horizon.c.revision > revision)
    trimmed = unit.connection.execute(query.order_by(horizon.c.revision.desc()).limit(1)).first()
    if trimmed is not None:
        raise Refused.trimmed(
            "HISTORY_TRIMMED",
            f"What {Kind(trimmed.kind).words}s were at revision {revision} is not kept any more; "
            f"it is from {trimmed.revision} on.",
            revision=revision,
            kept_from=trimmed.revision,
        )


def time_at(unit: UnitOfWork, moment: Moment | None) -> int:
    """When a moment was: that of a revision is when something was last written by then."""
    if moment is None:
        return unit.now_us
    if moment.time_us is not None:
        return moment.time_us
    found = [
        unit.connection.scalar(
            select(table.c.time_us)
            .where(table.c.revision <= moment.revision)
            .order_by(table.c.revision.desc())
            .limit(1)
        )
        for table in (change_set, status_history)
    ]
    return max((each for each in found if each is not None), default=unit.now_us)
