"""Readings of the history: what a resource was at a revision, and what became of it.

One index seek a resource: the last image at or before a revision is found by key and revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, ScalarSelect, Table, and_, select
from sqlalchemy.engine import Connection

from metadata_server.domain.change import Action
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from metadata_server.store.codec import data_of
from metadata_server.store.images import META, from_image
from metadata_server.store.keys import TUPLES, Keys, batches, is_one_of
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.newer import check_known
from metadata_server.store.schema import history, name
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Image:
    """What one revision left of one resource.

    Attributes:
        data: the content as builtins, with keys of what it refers to; empty for DELETED.
    """

    revision: int
    kind: Kind
    key: int
    action: Action
    data: Mapping[str, Any]


def image_at(
    unit: UnitOfWork, kind: Kind, key: int, revision: int, *, to_write: bool = False
) -> Resource | None:
    """A resource as it was at a revision; None: it was not there.

    Args:
        to_write: it shall be so again.

    Raises:
        Refused: NEWER_CONTENT, when it is to be written and this release knows only a part.
    """
    query = (
        select(history)
        .where(history.c.key == key, history.c.revision <= revision)
        .order_by(history.c.revision.desc())
        .limit(1)
    )
    row = unit.connection.execute(query).first()
    image = None if row is None else image_of_row(row)
    if image is None or image.kind is not kind or image.action is Action.DELETED:
        return None
    if to_write:
        check_whole(image)
    return resource_of(image, unit.keys)


def check_whole(image: Image) -> None:
    """Passes when this release knows all of an image.

    Raises:
        Refused: NEWER_CONTENT.
    """
    layout = LAYOUTS[image.kind]
    columns = {*META, *(reference.column for reference in layout.references)}
    content = {name: held for name, held in image.data.items() if name not in columns}
    check_known(layout.type, content, f"{image.kind.words} {content.get('id', '')}")


def images_at(unit: UnitOfWork, keys: Iterable[int], revision: int) -> dict[int, Image]:
    """The last images of many resources at or before a revision, by key."""
    found = {}
    last = last_revision(history, revision)
    for some in batches(sorted(set(keys))):
        each = (
            select(name.c.key, last.label("revision"))
            .where(name.c.key.in_(some))
            .distinct()
            .subquery()
        )
        same = and_(history.c.key == each.c.key, history.c.revision == each.c.revision)
        for row in unit.connection.execute(select(history).join(each, same)):
            found[row.key] = image_of_row(row)
    return found


def images_of(unit: UnitOfWork, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Image]:
    """The images of some keys at just these revisions."""
    found = {}
    pair = (history.c.key, history.c.revision)
    for some in batches(sorted(set(pairs)), TUPLES):
        query = select(history).where(is_one_of(pair, some))
        for row in unit.connection.execute(query):
            found[row.key, row.revision] = image_of_row(row)
    return found


def last_revisions(
    unit: UnitOfWork, images: Table, keys: Iterable[int], revision: int
) -> dict[int, int]:
    """The revisions of the last images at or before a revision, by key."""
    last = last_revision(images, revision)
    found = {}
    for some in batches(sorted(set(keys))):
        query = select(name.c.key, last.label("revision")).where(name.c.key.in_(some))
        for row in unit.connection.execute(query):
            if row.revision is not None:
                found[row.key] = row.revision
    return found


def last_revision(images: Table, revision: int) -> ScalarSelect[int]:
    """The revision of the last image of a key in the table of names, at or before a revision.

    The keys come from that table, so that the database seeks once for each of them, backwards,
    however many images they have.
    """
    return (
        select(images.c.revision)
        .where(images.c.key == name.c.key, images.c.revision <= revision)
        .order_by(images.c.revision.desc())
        .limit(1)
        .correlate(name)
        .scalar_subquery()
    )


def images_between(unit: UnitOfWork, key: int, after: int, until: int) -> list[Image]:
    """The images of a resource after a revision, up to and including another, oldest first."""
    query = (
        select(history)
        .where(history.c.key == key, history.c.revision > after, history.c.revision <= until)
        .order_by(history.c.revision)
    )
    return [image_of_row(row) for row in unit.connection.execute(query)]


def newest_images(unit: UnitOfWork, key: int, since: int, *, limit: int) -> list[Image]:
    """The newest images of a resource, none before a revision, newest first."""
    query = (
        select(history)
        .where(history.c.key == key, history.c.revision >= since)
        .order_by(history.c.revision.desc())
        .limit(limit)
    )
    return [image_of_row(row) for row in unit.connection.execute(query)]


def images_of_revision(unit: UnitOfWork, revision: int) -> list[Image]:
    """Everything that one revision changed, in its order."""
    query = select(history).where(history.c.revision == revision).order_by(history.c.ordinal)
    return [image_of_row(row) for row in unit.connection.execute(query)]


def resource_of(image: Image, keys: Keys) -> Resource:
    """The resource of an image that has one (it is not DELETED)."""
    return from_image(image.kind, image.key, image.revision, image.data, keys.id_of)


def learn_references(keys: Keys, kind: Kind, images: Iterable[Mapping[str, Any]]) -> None:
    """Learns the ids of all that images of one kind refer to, in few statements."""
    content = list(images)
    for reference in LAYOUTS[kind].references:
        found = {image[reference.column] for image in content if image.get(reference.column)}
        keys.find_ids(reference.kind, found)


def key_at(connection: Connection, kind: Kind, id: str, revision: int) -> int | None:
    """The key that an id named at a revision; None: it named nothing."""
    query = (
        select(name.c.key, name.c.to_revision)
        .where(name.c.kind == kind.value, name.c.id == id, name.c.from_revision <= revision)
        .order_by(name.c.from_revision.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None or (row.to_revision is not None and row.to_revision <= revision):
        return None
    return int(row.key)


def image_of_row(row: Row[Any]) -> Image:
    return Image(row.revision, Kind(row.kind), row.key, Action(row.action), data_of(row.image))
