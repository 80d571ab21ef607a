"""What depends on a resource: the others that refer to it by its key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from metadata_server.store import schema
from metadata_server.store.keys import batches
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.unit_of_work import LostRace, UnitOfWork

SHOWN = 10


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
                found = select(layout.table.c.id).where(condition).order_by("id").limit(SHOWN)
                names += [kind.name_of(id) for id in unit.connection.scalars(found)]
    sessions = [f"the open session {id}" for _, id in open_sessions(unit, [resource.meta.key])]
    return count + len(sessions), [*names, *sessions][:SHOWN]


def references_of(resource: Resource) -> Iterator[tuple[Kind, str]]:
    """Kind and id of everything that a resource refers to."""
    for reference in LAYOUTS[resource.kind].references:
        found: Any = resource
        for step in reference.path:
            found = getattr(found, step, None)
        if found:
            yield reference.kind, found


@dataclass(frozen=True, slots=True)
class User:
    """What refers to a resource.

    Attributes:
        key: of the resource that does; 0: it is an open session.
        name: for people.
    """

    key: int
    name: str


def users_of(unit: UnitOfWork, kind: Kind, keys: Iterable[int]) -> Mapping[int, Sequence[User]]:
    """What refers to each of many resources of one kind, by their keys; few statements."""
    found: dict[int, list[User]] = defaultdict(list)
    for some in batches(sorted(set(keys))):
        for user_kind, layout in LAYOUTS.items():
            for column in (r.column for r in layout.references if r.kind is kind):
                table = layout.table
                query = select(table.c.key, table.c.id, table.c[column].label("used"))
                query = query.where(table.c[column].in_(some)).order_by(table.c.id)
                for row in unit.connection.execute(query):
                    found[row.used].append(User(row.key, user_kind.name_of(row.id)))
        if kind is Kind.UNIT_SERVER:
            for server, session in open_sessions(unit, some):
                found[server].append(User(0, f"the open session {session}"))
    return found


def rely_on_no_session(unit: UnitOfWork, deleted: Iterable[Resource]) -> None:
    """Has a deletion run again where a process has registered in between as a unit server that
    is deleted: registrations do not wait for its row."""
    servers = [each.meta.key for each in deleted if each.kind is Kind.UNIT_SERVER]

    def check(unit: UnitOfWork) -> None:
        if any(open_sessions(unit, some) for some in batches(servers)):
            raise LostRace

    if servers:
        unit.rely_on(check)


def open_sessions(unit: UnitOfWork, servers: Sequence[int]) -> list[tuple[int, str]]:
    """Keys of unit servers with their sessions that have not ended."""
    lease = schema.lease
    query = select(lease.c.unit_server_key, lease.c.session).where(
        lease.c.unit_server_key.in_(servers), lease.c.ended.is_(False)
    )
    return [(row.unit_server_key, row.session) for row in unit.connection.execute(query)]
