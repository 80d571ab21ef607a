"""What depends on a resource: the others that refer to it by its key."""

from __future__ import annotations

from sqlalchemy import select

from metadata_server.domain.resource import Resource
from metadata_server.store import schema
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.unit_of_work import UnitOfWork

SHOWN = 5


def dependants_of(unit: UnitOfWork, resource: Resource) -> tuple[int, list[str]]:
    """How many resources refer to this one, and the names of the first few.

    An open session counts for its unit server.
    """
    count, names = 0, []
    for kind, layout in LAYOUTS.items():
        for reference in layout.references:
            if reference.kind is resource.kind:
                condition = layout.table.c[reference.column] == resource.meta.key
                count += unit.resources.count(kind, condition)
                found = select(layout.table.c.id).where(condition).limit(SHOWN)
                names += [kind.name_of(id) for id in unit.connection.scalars(found)]
    lease = schema.lease
    open_sessions = select(lease.c.session).where(
        lease.c.unit_server_key == resource.meta.key, lease.c.ended.is_(False)
    )
    sessions = list(unit.connection.scalars(open_sessions))
    return count + len(sessions), [*names[:SHOWN], *(f"the open session {s}" for s in sessions)]
