"""Trims the history of a kind: moves its horizon on, a step at a time.

Each image on the way supersedes the older ones of its key: so of what came before the horizon
only the newest image of each key is kept, and everything can be read as of the horizon, and of
any later revision. Images of what was deleted before the horizon go altogether. The horizon is
written in the same transaction, so that nobody takes what is gone for what never was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Table, delete, exists, func, literal, select

from metadata_server.domain.change import Action
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.store.keys import TUPLES, batches, is_one_of
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.past.moments import last_revision
from metadata_server.store.schema import (
    change_set,
    history,
    horizon,
    instantiation,
    name,
    status_history,
)
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows

STEP_ROWS = 2_000
STEP_REVISIONS = 20_000
REFERRED = frozenset(each.kind for layout in LAYOUTS.values() for each in layout.references)
"""Kinds that others name in their images: what they were called is kept."""
Place = tuple[int, int]
"""Revision and ordinal of an image."""


def trim_kind(unit: UnitOfWork, kind: Kind, before_us: int) -> bool:
    """Moves the horizon of a kind a step towards a time; whether it has not come there yet."""
    images = history if kind in DECLARED else status_history
    old = horizon_of(unit, [kind])
    goal = last_revision(unit.connection, before_us)
    new = min(goal, step_end(unit, images, old))
    if new <= old:
        return False
    floor = horizon_of(unit, DECLARED)
    superseded, gone = superseded_by(unit, images, kind, old, new)
    delete_places(unit, images, superseded)
    row = {"kind": kind.value, "revision": new, "time_us": before_us}
    upsert_rows(unit.connection, horizon, [row])
    if images is history:
        forget_names(unit, kind, gone, until=new)
        forget_turns(unit, kind, old, new)
        revisions = {revision for revision, _ in superseded}
        trim_change_sets(unit, revisions, floor, horizon_of(unit, DECLARED))
    return new < goal


def horizon_of(unit: UnitOfWork, kinds: Collection[Kind]) -> int:
    """The revision up to which the histories of all these kinds have been trimmed; 0: not of
    each."""
    query = select(func.min(horizon.c.revision), func.count()).where(horizon.c.kind.in_(kinds))
    lowest, count = unit.connection.execute(query).one()
    return int(lowest) if count == len(kinds) else 0


def step_end(unit: UnitOfWork, images: Table, old: int) -> int:
    """Where the next step may end at the latest, so that it stays small."""
    revision = images.c.revision
    query = select(revision).where(revision > old).order_by(revision)
    last = unit.connection.scalar(query.offset(STEP_ROWS - 1).limit(1))
    end = old + STEP_REVISIONS
    return end if last is None else min(int(last), end)


def superseded_by(
    unit: UnitOfWork, images: Table, kind: Kind, old: int, new: int
) -> tuple[list[Place], list[int]]:
    """Places of the images that those between two horizons supersede, and the keys of what was
    deleted there."""
    between = (images.c.kind == kind.value, images.c.revision > old, images.c.revision <= new)
    keys = unit.connection.scalars(select(images.c.key).where(*between).distinct())
    action: Any = images.c.action if images is history else literal(Action.UPDATED.value)
    columns = (images.c.key, images.c.revision, images.c.ordinal, action.label("action"))
    superseded: list[Place] = []
    gone: list[int] = []
    for some in batches(sorted(keys)):
        query = (
            select(*columns)
            .where(images.c.key.in_(some), images.c.revision <= new)
            .order_by(images.c.key, images.c.revision)
        )
        rows = unit.connection.execute(query)
        for key, group in groupby(rows, lambda row: row.key):
            *older, last = group
            superseded += [(row.revision, row.ordinal) for row in older]
            if last.action == Action.DELETED:
                superseded.append((last.revision, last.ordinal))
                gone.append(key)
    return superseded, gone


def delete_places(unit: UnitOfWork, images: Table, places: Iterable[Place]) -> None:
    """Deletes images by their key: deleting a range would lock what others insert meanwhile."""
    place = (images.c.revision, images.c.ordinal)
    for some in batches(sorted(places), TUPLES):
        unit.connection.execute(delete(images).where(is_one_of(place, some)))


def forget_turns(unit: UnitOfWork, kind: Kind, old: int, new: int) -> None:
    """Forgets that resources have begun or ended by themselves; nothing else is read of that."""
    turned = status_history.c.revision.between(old + 1, new), status_history.c.kind == kind.value
    query = select(status_history.c.revision, status_history.c.ordinal).where(*turned)
    delete_places(unit, status_history, ((*place,) for place in unit.connection.execute(query)))


def forget_names(unit: UnitOfWork, kind: Kind, gone: Sequence[int], *, until: int) -> None:
    """Forgets what deleted resources were called up to a revision, unless something that is kept
    names them: images of other kinds, or lives. One that was brought back later is called so."""
    if kind in REFERRED:
        return
    lived = exists().where(instantiation.c.control_unit_key == name.c.key)
    for some in batches(sorted(gone)):
        forgotten = name.c.key.in_(some), name.c.to_revision <= until, ~lived
        unit.connection.execute(delete(name).where(*forgotten))


def trim_change_sets(unit: UnitOfWork, revisions: Iterable[int], old: int, new: int) -> None:
    """Deletes change sets of which no history is kept: of some revisions, and of those that the
    horizon of all kinds has passed.

    Args:
        old: that horizon, before.
        new: that horizon, now.
    """
    empty = ~exists().where(history.c.revision == change_set.c.revision)
    passed = select(change_set.c.revision).where(
        change_set.c.revision > old, change_set.c.revision <= new, empty
    )
    wanted = {each for each in revisions if each <= old} | set(unit.connection.scalars(passed))
    for some in batches(sorted(wanted)):
        unit.connection.execute(delete(change_set).where(change_set.c.revision.in_(some), empty))
