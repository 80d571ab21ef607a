"""The counter that orders everything: read with the clock, and moved on once a transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, select
from sqlalchemy.engine import Connection

from metadata_server.domain.change import Position
from metadata_server.store.database import Database
from metadata_server.store.schema import revision

THE_ROW, RESTORING = 1, 2
"""Values of `revision.one`. As long as a database is restored its only row is the second: who
looks for the first finds that there is nothing to serve yet."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a transaction stands when it begins."""

    position: Position
    now_us: int


def read_moment(connection: Connection, database: Database) -> Moment:
    """The position and the database's clock, in one statement."""
    row = connection.execute(
        select(
            revision.c.store_id, revision.c.epoch, revision.c.value, database.now_us.label("now")
        ).where(revision.c.one == THE_ROW)
    ).one()
    return Moment(Position(row.store_id, row.epoch, row.value), row.now)


def claim_revision(connection: Connection, database: Database) -> Moment:
    """Takes the next revision; from here to the end of the transaction nobody else can.

    That all writers change this one row makes numbers visible in their order, and makes two
    transactions on different nodes of a cluster conflict, whatever else they touch. The time
    of a revision grows with it, even when the clock steps back.
    """
    at_least = revision.c.time_us + 1
    later = case((database.now_us > at_least, database.now_us), else_=at_least)
    moved = (
        revision.update()
        .where(revision.c.one == THE_ROW)
        .values(value=revision.c.value + 1, time_us=later)
    )
    columns = (revision.c.store_id, revision.c.epoch, revision.c.value, revision.c.time_us)
    if database.is_sqlite:
        row = connection.execute(moved.returning(*columns)).one()
    else:
        connection.execute(moved)
        row = connection.execute(select(*columns).where(revision.c.one == THE_ROW)).one()
    return Moment(Position(row.store_id, row.epoch, row.value), row.time_us)


def begin_epoch(connection: Connection, epoch: int) -> bool:
    """Starts the epoch after `epoch`; False: another replica has done so."""
    moved = (
        revision.update()
        .where(revision.c.one == THE_ROW, revision.c.epoch == epoch)
        .values(epoch=revision.c.epoch + 1)
    )
    return connection.execute(moved).rowcount == 1
