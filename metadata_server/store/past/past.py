"""Declared resources as they were at a revision: found by the names of then.

A span of a name tells which key had which id, and of control units what it referred to, so a
page of the past is one range of an index; of each key on it the row counts if it is as old,
else the last image at or before the revision, one seek each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, TypeVar, cast

from sqlalchemy import Select, or_, select

from metadata_server.domain.change import Action, Position
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from metadata_server.store.intent.absence import absent_then
from metadata_server.store.intent.selections import Filter, id_range
from metadata_server.store.keys import batches
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.past.history import (
    image_at,
    images_at,
    key_at,
    learn_references,
    resource_of,
)
from metadata_server.store.past.moments import position_at
from metadata_server.store.schema import name
from metadata_server.store.unit_of_work import UnitOfWork

R = TypeVar("R", bound=Resource)
NEWEST = 2**63 - 1
"""After all revisions: as of it, there is what is there now."""
SMALLEST_BATCH = 100
EVERYTHING = Filter("", {})


def resource_at(unit: UnitOfWork, type_: type[R], id: str, position: Position) -> R:
    """The resource that an id named at a position, of which everything is kept.

    Raises:
        Refused: the kind's NOT_FOUND.
    """
    if position == unit.position:
        return unit.resources.get(type_, id)
    revision = position.revision
    key = key_at(unit.connection, type_.kind, id, revision)
    found = None if key is None else image_at(unit, type_.kind, key, revision)
    if found is None:
        raise absent_then(unit.connection, type_.kind, id, revision)
    return cast("R", found)


def resource_as_of(unit: UnitOfWork, type_: type[R], id: str, as_of: str) -> tuple[R, Position]:
    """The resource that an id named at a moment, as its caller wrote it, and its position.

    Raises:
        Refused: the kind's NOT_FOUND, INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED.
    """
    position = position_at(unit, moment_of(as_of), {type_.kind})
    return resource_at(unit, type_, id, position), position


def resources_at(
    unit: UnitOfWork,
    type_: type[R],
    keys: Iterable[int],
    revision: int,
    wanted: Filter = EVERYTHING,
) -> dict[int, R]:
    """What resources were at a revision, by key: those that were there, and pass."""
    table = LAYOUTS[type_.kind].table
    keys = list(keys)
    found: dict[int, R] = {}
    for some in batches(keys):
        unchanged = unit.resources.where(
            type_, table.c.key.in_(some), table.c.revision <= revision, *wanted.conditions(table)
        )
        found |= {resource.meta.key: resource for resource in unchanged}
    images = images_at(unit, (key for key in keys if key not in found), revision).values()
    passing = [
        image
        for image in images
        if image.action is not Action.DELETED and wanted.passes(image.data)
    ]
    learn_references(unit.keys, type_.kind, [image.data for image in passing])
    return found | {image.key: cast("R", resource_of(image, unit.keys)) for image in passing}


def pages_at(
    unit: UnitOfWork, type_: type[R], wanted: Filter, *, after: str, size: int, revision: int
) -> Iterator[list[R]]:
    """What was there at a revision and passes, by id, in pieces of about `size`; read as they
    are taken."""
    names = names_at(type_.kind, revision, wanted)
    for some in batches_of(unit, names, wanted.id_prefix, after=after, size=size):
        found = resources_at(unit, type_, some.values(), revision, wanted)
        yield [found[key] for key in some.values() if key in found and wanted.suits(found[key])]


def names_at(
    kind: Kind, revision: int, wanted: Filter = EVERYTHING, ids: Collection[str] | None = None
) -> Select[Any]:
    """Ids and keys of what was there at a revision, and passes as far as spans can tell.

    Args:
        ids: only of these; None: of any.
    """
    spans = LAYOUTS[kind].spans
    told = {column: key for column, key in wanted.columns.items() if column in spans}
    conditions = [name.c[column] == key for column, key in told.items()]
    if not told:  # else that key alone leads to its index, whatever the planner thinks of kinds
        conditions.append(name.c.kind == kind.value)
    if ids is not None:
        conditions.append(name.c.id.in_(sorted(ids)))
    return select(name.c.id, name.c.key).where(
        *conditions,
        name.c.from_revision <= revision,
        or_(name.c.to_revision.is_(None), name.c.to_revision > revision),
    )


def batches_of(
    unit: UnitOfWork, names: Select[Any], prefix: str, *, after: str, size: int
) -> Iterator[dict[str, int]]:
    """Keys by id, in the order of ids, in batches of at least `size` while there are so many."""
    count = max(size, SMALLEST_BATCH)
    while True:
        span = id_range(name.c.id, prefix=prefix, after=after)
        query = names.where(*span).order_by(name.c.id).limit(count)
        some = {row.id: row.key for row in unit.connection.execute(query)}
        yield some
        if len(some) < count:
            return
        after = next(reversed(some))


def ids_ever(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, set[str]]:
    """All ids that keys have or had."""
    found: dict[int, set[str]] = {}
    for some in batches(sorted(set(keys))):
        for row in unit.connection.execute(
            select(name.c.key, name.c.id).where(name.c.key.in_(some))
        ):
            found.setdefault(row.key, set()).add(row.id)
    return found


def ids_at(unit: UnitOfWork, keys: Iterable[int], revision: int) -> dict[int, str]:
    """The ids that keys had at a revision, of those that were there."""
    found: dict[int, str] = {}
    for some in batches(sorted(set(keys))):
        query = select(name.c.key, name.c.id).where(
            name.c.key.in_(some),
            name.c.from_revision <= revision,
            or_(name.c.to_revision.is_(None), name.c.to_revision > revision),
        )
        found |= {row.key: row.id for row in unit.connection.execute(query)}
    return found
