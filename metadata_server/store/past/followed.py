"""What has changed since a position that something was read at."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Table, select

from metadata_server.domain.change import Position
from metadata_server.domain.names import Kind
from metadata_server.store.past.changes import kept_from
from metadata_server.store.unit_of_work import UnitOfWork

MOST_CHANGED = 5_000
"""After more changes than these it is as well to read everything again."""


def is_followed(unit: UnitOfWork, then: Position, kinds: Collection[Kind]) -> bool:
    """Whether all is known that has happened to some kinds since a position."""
    now = unit.position
    same_line = (now.store_id, now.epoch) == (then.store_id, then.epoch)
    return same_line and then.revision <= now.revision and kept_from(unit, kinds) <= then.revision


def changed_keys(unit: UnitOfWork, table: Table, kind: Kind, since: int) -> set[int] | None:
    """Keys of what has changed since a revision; None: too many have.

    Args:
        table: `history` or `status_history`.
    """
    query = select(table.c.key).where(table.c.revision > since, table.c.kind == kind.value)
    rows = unit.connection.scalars(query.order_by(table.c.revision).limit(MOST_CHANGED + 1)).all()
    return set(rows) if len(rows) <= MOST_CHANGED else None
