"""Pages of declared resources, as of the revision of a list's first page.

What has not changed since then is read from the table of its kind, by its indexes. What has is
found by the names of then: those whose row is gone or newer; of these the last image at or
before that revision counts, one seek each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Select, or_, select

from metadata_server.domain.change import Action, Position
from metadata_server.domain.horizon import check_position
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Listing, PageStart, Selection, page_size, start_of, token_of
from metadata_server.domain.resource import Resource
from metadata_server.store.history import images_at, learn_references, resource_of
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.schema import name
from metadata_server.store.selections import Filter, filter_of, id_range
from metadata_server.store.unit_of_work import UnitOfWork

R = TypeVar("R", bound=Resource)
T = TypeVar("T")
SMALLEST_BATCH = 100


def resource_page(
    unit: UnitOfWork, type_: type[R], selection: Selection, *, size: int = 0, token: str = ""
) -> Listing[R]:
    """One page of a list, by id, byte by byte; `unit` is one of `Store.read`.

    Args:
        size: as the caller asked; 0: the default.
        token: of the page before; empty: the first page, as of now.

    Raises:
        Refused: INVALID_FIELD, INVALID_PAGE_TOKEN, HISTORY_RESET.
    """

    def read(start: PageStart, limit: int) -> list[R]:
        return page(unit, type_, selection, start=start, limit=limit)

    return listing(
        unit.position, selection, read, size=size, token=token, id_of=lambda found: found.id
    )


def listing(
    present: Position,
    selection: Selection,
    read: Callable[[PageStart, int], Sequence[T]],
    *,
    size: int,
    token: str,
    id_of: Callable[[T], str],
) -> Listing[T]:
    """One page of whatever `read` gives, sorted by `id_of`."""
    count = page_size(size)
    start = start_of(token, selection) if token else PageStart(present)
    check_position(start.position, present)
    found = read(start, count + 1)
    items = found[:count]
    if len(found) <= count:
        return Listing(items, start.position)
    following = PageStart(start.position, id_of(items[-1]))
    return Listing(items, start.position, token_of(selection, following))


def page(
    unit: UnitOfWork, type_: type[R], selection: Selection, *, start: PageStart, limit: int
) -> list[R]:
    """At most `limit` resources after an id, as of a revision."""
    revision = start.position.revision
    wanted = filter_of(unit, selection, revision)
    if wanted is None:
        return []
    table = LAYOUTS[type_.kind].table
    conditions = wanted.conditions(table)
    conditions += id_range(table.c.id, prefix=wanted.id_prefix, after=start.after)
    if revision == unit.position.revision:
        return unit.resources.where(type_, *conditions, limit=limit)
    unchanged = unit.resources.where(type_, *conditions, table.c.revision <= revision, limit=limit)
    until = unchanged[-1].id if len(unchanged) == limit else None
    changed = changed_since(unit, type_, wanted, start=start, limit=limit, until=until)
    return sorted([*unchanged, *changed], key=lambda resource: resource.id)[:limit]


def changed_since(
    unit: UnitOfWork,
    type_: type[R],
    wanted: Filter,
    *,
    start: PageStart,
    limit: int,
    until: str | None,
) -> list[R]:
    """At least the first `limit` of the resources that have changed or gone since, as they
    were; none after the id `until`."""
    table = LAYOUTS[type_.kind].table
    revision = start.position.revision
    names = (
        names_at(type_.kind, revision)
        .outerjoin(table, table.c.key == name.c.key)
        .where(or_(table.c.key.is_(None), table.c.revision > revision))
    )
    found: list[R] = []
    for some in batches_of(
        unit, names, wanted.id_prefix, after=start.after, until=until, size=limit
    ):
        images = images_at(unit, some.values(), revision)
        passing = [
            image
            for image in images.values()
            if image.action is not Action.DELETED and wanted.passes(image.data)
        ]
        learn_references(unit.keys, type_.kind, [image.data for image in passing])
        found += [cast("R", resource_of(image, unit.keys)) for image in passing]
        if len(found) >= limit:
            break
    return found


def names_at(kind: Kind, revision: int) -> Select[Any]:
    """Ids and keys of what was there at a revision."""
    return select(name.c.id, name.c.key).where(
        name.c.kind == kind.value,
        name.c.from_revision <= revision,
        or_(name.c.to_revision.is_(None), name.c.to_revision > revision),
    )


def batches_of(
    unit: UnitOfWork,
    names: Select[Any],
    prefix: str,
    *,
    after: str,
    size: int,
    until: str | None = None,
) -> Iterator[dict[str, int]]:
    """Keys by id, in the order of ids, in batches of at least `size` while there are so many."""
    count = max(size, SMALLEST_BATCH)
    while True:
        span = id_range(name.c.id, prefix=prefix, after=after, until=until)
        query = names.where(*span).order_by(name.c.id).limit(count)
        some = {row.id: row.key for row in unit.connection.execute(query)}
        yield some
        if len(some) < count:
            return
        after = next(reversed(some))
