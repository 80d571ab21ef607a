"""What lies in a part of the facility, and what was there and has come to an end: deleted, or
called otherwise now."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select

from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.store.intent.absence import absent
from metadata_server.store.intent.selections import id_range
from metadata_server.store.keys import batches
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.schema import name
from metadata_server.store.unit_of_work import UnitOfWork


def ids_in(unit: UnitOfWork, kind: Kind, prefix: str) -> list[str]:
    """Ids of one kind that begin with a text, sorted."""
    if not BEGINS_AN_ID.match(prefix):  # nor would MariaDB compare all texts with ids
        return []
    table = LAYOUTS[kind].table
    query = select(table.c.id).where(*id_range(table.c.id, prefix=prefix)).order_by(table.c.id)
    return list(unit.connection.scalars(query))


def ids_there(unit: UnitOfWork, kind: Kind, ids: Collection[str]) -> list[str]:
    """Some ids that all name something now; none: all that do.

    Raises:
        Refused: the kind's NOT_FOUND.
    """
    if not ids:
        return ids_in(unit, kind, "")
    there = unit.keys.find(kind, ids)
    for id in ids:
        if id not in there:
            raise absent(unit.connection, kind, id)
    return list(there)


def came_since(unit: UnitOfWork, kind: Kind, prefix: str, revision: int) -> set[str]:
    """Ids that begin with a text and name something only since after `revision`."""
    query = select(name.c.id).where(
        name.c.kind == kind.value,
        name.c.from_revision > revision,
        *id_range(name.c.id, prefix=prefix),
    )
    return set(unit.connection.scalars(query))


def gone_since(unit: UnitOfWork, kind: Kind, ids: Iterable[str], revision: int) -> dict[str, int]:
    """The revisions after `revision` at which ids ended to name what they named, by id. A span
    of a name ends also where another of the same id begins; the caller knows what is there."""
    found: dict[str, int] = {}
    query = select(name.c.id, name.c.to_revision).where(
        name.c.kind == kind.value, name.c.to_revision > revision
    )
    for some in batches(sorted(set(ids))):
        for row in unit.connection.execute(query.where(name.c.id.in_(some))):
            found[row.id] = max(row.to_revision, found.get(row.id, 0))
    return found


def gone_with_prefix(unit: UnitOfWork, kind: Kind, prefix: str, revision: int) -> dict[str, int]:
    """Likewise, of all ids that begin with a text."""
    query = select(name.c.id, name.c.to_revision).where(
        name.c.kind == kind.value,
        name.c.to_revision > revision,
        *id_range(name.c.id, prefix=prefix),
    )
    found: dict[str, int] = {}
    for row in unit.connection.execute(query):
        found[row.id] = max(row.to_revision, found.get(row.id, 0))
    return found
