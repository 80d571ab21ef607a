"""Pages of changes, each with what differs from just before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.engine import Connection

from metadata_server.domain.change import Action
from metadata_server.domain.change_set import (
    ChangeListing,
    ChangeSelection,
    ChangeSet,
    ToldChange,
)
from metadata_server.domain.difference import FieldDifference, differences
from metadata_server.domain.filter.vocabulary import CHANGE
from metadata_server.domain.horizon import check_position
from metadata_server.domain.names import BEGINS_AN_ID, DECLARED, Kind
from metadata_server.domain.page import PageStart, page_size, start_of, token_of
from metadata_server.domain.refused import Refused
from metadata_server.store.filter.record_sources import CHANGE_SOURCES, passing
from metadata_server.store.intent.selections import id_range
from metadata_server.store.past.backwards import (
    Place,
    Reach,
    Walk,
    next_rows,
    place_of,
    reach_of,
    walk_of,
)
from metadata_server.store.past.change_sets import change_set_of
from metadata_server.store.past.history import (
    Image,
    image_of_row,
    images_of,
    learn_references,
    resource_of,
)
from metadata_server.store.past.moments import check_kept
from metadata_server.store.past.names import Names
from metadata_server.store.schema import change_set, history, horizon, name
from metadata_server.store.unit_of_work import UnitOfWork

FEW_KEYS = 200


def change_page(
    unit: UnitOfWork, selection: ChangeSelection, *, size: int, token: str
) -> ChangeListing:
    """One page of changes; all pages of a list are read at the first one's position.

    Raises:
        Refused: INVALID_FIELD, INVALID_FILTER, INVALID_PAGE_TOKEN, HISTORY_RESET; HISTORY_TRIMMED, when nothing
            up to `until` is told any more; the kind's NOT_FOUND, for an id that never named
            anything.
    """
    count = page_size(size)
    start = start_of(token, selection) if token else PageStart(unit.position, now_us=unit.now_us)
    check_position(start.position, unit.position)
    kinds = (selection.kind,) if selection.kind else selection.kinds or DECLARED
    reach = reach_of(unit, start.position, since=selection.since, until=selection.until)
    if selection.until is not None:
        check_kept(unit, reach.newest, kinds)
    if selection.change_set:
        reach = Reach(
            max(reach.oldest, selection.change_set), min(reach.newest, selection.change_set)
        )
    walk = walk_of(reach, selection.order_by, CHANGE)
    begin = place_of(start.after) if token else walk.begin
    query = Changes(unit, selection, kinds, walk, now_us=start.now_us)
    column = None if query.is_indexed or selection.change_set else history.c.revision
    rows, rest = next_rows(unit, column, query.rows, walk, start=begin, limit=count + 1)
    items = told(unit, rows[:count])
    if len(rows) > count:
        rest = Place(rows[count - 1].revision, rows[count - 1].ordinal)
    following = token_of(selection, replace(start, after=rest.text)) if rest else ""
    trimmed = max(query.horizons.values(), default=-1)
    kept_from = trimmed + 1 if trimmed >= reach.oldest else 0
    return ChangeListing(items, start.position, following, kept_from)


class Changes:
    """The rows of a selection.

    Attributes:
        horizons: by kind, the revision up to which changes are not told any more: what was
            just before them may be gone.
        is_indexed: whether the rows are found by their keys.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        selection: ChangeSelection,
        kinds: Sequence[Kind],
        walk: Walk,
        *,
        now_us: int,
    ) -> None:
        self._walk = walk
        query = select(horizon.c.kind, horizon.c.revision).where(horizon.c.kind.in_(kinds))
        self.horizons: dict[str, int] = {
            row.kind: row.revision for row in unit.connection.execute(query)
        }
        self.is_indexed = False
        self._conditions = [
            not_(and_(history.c.kind == kind, history.c.revision <= revision))
            for kind, revision in self.horizons.items()
        ]
        if selection.kind is not None:
            key = key_ever(unit.connection, selection.kind, selection.id)
            self._conditions.append(history.c.key == key)
            self.is_indexed = True
        elif len(kinds) < len(DECLARED):
            self._conditions.append(history.c.kind.in_(kinds))
        if selection.id_prefix:
            self._conditions.append(named_then(selection.id_prefix))
            if keys := few_keys(unit.connection, kinds, selection.id_prefix):
                self._conditions.append(history.c.key.in_(keys))
                self.is_indexed = True
        if selection.author:
            self._conditions.append(change_set.c.author == selection.author)
        if selection.filter:
            self._conditions.append(
                passing(unit, selection.filter, CHANGE, CHANGE_SOURCES, now_us=now_us)
            )

    def rows(self, window: Reach, place: Place) -> Select[Any]:
        """Rows of a reach that lie ahead of a place, with their change sets and the revisions of
        the images just before them."""
        columns = history.c
        is_ahead = (
            columns.ordinal < place.ordinal
            if self._walk.descends
            else columns.ordinal > place.ordinal
        )
        earlier = history.alias("earlier")
        previous = (
            select(func.max(earlier.c.revision))
            .where(earlier.c.key == columns.key, earlier.c.revision < columns.revision)
            .correlate(history)
            .scalar_subquery()
        )
        who = [each for each in change_set.c if each.name != "revision"]
        return (
            select(history, *who, previous.label("previous"))
            .outerjoin(change_set, change_set.c.revision == columns.revision)
            .where(
                columns.revision >= window.oldest,
                columns.revision <= window.newest,
                or_(columns.revision != place.revision, is_ahead),
                *self._conditions,
            )
            .order_by(*self._walk.order(columns.revision, columns.ordinal))
        )


def named_then(prefix: str) -> ColumnElement[bool]:
    """That a resource's id began with a text when it was changed; of a deleted one its last."""
    if not BEGINS_AN_ID.match(prefix):
        return false()
    columns = name.c
    lasted = or_(
        columns.to_revision.is_(None),
        columns.to_revision > history.c.revision,
        and_(columns.to_revision == history.c.revision, history.c.action == Action.DELETED),
    )
    return exists().where(
        columns.key == history.c.key,
        columns.from_revision <= history.c.revision,
        lasted,
        *id_range(columns.id, prefix=prefix),
    )


def few_keys(connection: Connection, kinds: Iterable[Kind], prefix: str) -> list[int]:
    """The keys that ever had an id of that beginning; none where they are not few."""
    if not BEGINS_AN_ID.match(prefix):
        return []
    keys = (
        select(name.c.key)
        .where(name.c.kind.in_(list(kinds)), *id_range(name.c.id, prefix=prefix))
        .limit(FEW_KEYS + 1)
    )
    found = list(connection.scalars(keys))
    return sorted(set(found)) if len(found) <= FEW_KEYS else []


def key_ever(connection: Connection, kind: Kind, id: str) -> int:
    """The key that an id names, or named last; where it named several, those before are not
    found by it.

    Raises:
        Refused: the kind's NOT_FOUND.
    """
    query = (
        select(name.c.key)
        .where(name.c.kind == kind.value, name.c.id == id)
        .order_by(name.c.from_revision.desc())
        .limit(1)
    )
    key = connection.scalar(query)
    if key is None:
        raise Refused.not_found(
            kind.not_found,
            f"There never was a {kind.words} {id!r}, as far as is kept.",
            name=kind.name_of(id),
        )
    return int(key)


def told(unit: UnitOfWork, rows: Sequence[Row[Any]]) -> list[ToldChange]:
    """Changes of rows, each compared with the image just before it."""
    names = Names(unit, {row.key for row in rows})
    images = [image_of_row(row) for row in rows]
    pairs = [(row.key, row.previous) for row in rows if row.previous is not None]
    earlier = images_of(unit, pairs)
    for kind in {image.kind for image in images}:
        learn_references(
            unit.keys,
            kind,
            [each.data for each in (*images, *earlier.values()) if each.kind is kind],
        )
    return [
        told_change(row, image, names, different(unit, earlier.get((row.key, row.previous)), image))
        for row, image in zip(rows, images, strict=True)
    ]


def different(
    unit: UnitOfWork, before: Image | None, after: Image | None
) -> tuple[FieldDifference, ...]:
    """The fields in which two images differ; none unless the resource is there in both."""
    if before is None or after is None or Action.DELETED in {before.action, after.action}:
        return ()
    return differences(resource_of(before, unit.keys), resource_of(after, unit.keys))


def told_change(
    row: Row[Any], image: Image, names: Names, differing: Sequence[FieldDifference]
) -> ToldChange:
    action = Action(row.action)
    id, former = names.at(row.key, row.revision), names.at(row.key, row.revision - 1)
    renamed = action is Action.UPDATED and former != id
    nobodys = ChangeSet(revision=row.revision, time_us=image.data.get("update_time_us", 0))
    return ToldChange(
        change_set=nobodys if row.author is None else change_set_of(row),
        ordinal=row.ordinal,
        kind=Kind(row.kind),
        id=id,
        former_id=former if renamed else "",
        action=action,
        differences=differing,
    )
