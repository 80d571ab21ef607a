"""Since when a resource has said what it says: its images, read backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy import select

from metadata_server.domain.change import Action
from metadata_server.domain.names import Kind
from metadata_server.domain.resource import Resource
from metadata_server.store.past.history import Image, image_of_row, learn_references, resource_of
from metadata_server.store.schema import history
from metadata_server.store.unit_of_work import UnitOfWork

MOST_IMAGES = 5_000
"""So far back is looked."""
BATCH = 200


def first_said(
    unit: UnitOfWork,
    key: int,
    revision: int,
    values: Mapping[str, str],
    *,
    said: Callable[[Resource], Mapping[str, str]],
) -> dict[str, int]:
    """The revisions at which values came to be what they are at a revision, by path; 0: that is
    not kept any more, or too far back.

    A deletion that was undone does not count.

    Args:
        values: at `revision`, by path.
        said: gives the values of an image.
    """
    unsettled = dict(values)
    since = dict.fromkeys(values, 0)
    is_complete = False
    for image in images_back(unit, key, revision):
        is_complete = image.action is Action.CREATED
        if image.action is Action.DELETED:
            continue
        then = said(resource_of(image, unit.keys))
        for path, value in list(unsettled.items()):
            if then.get(path) == value:
                since[path] = image.revision
            else:
                del unsettled[path]
        if not unsettled:
            return since
    return since if is_complete else since | dict.fromkeys(unsettled, 0)


def images_back(unit: UnitOfWork, key: int, revision: int) -> Iterator[Image]:
    """The images of a resource at or before a revision, newest first; read as they are taken."""
    seen, last = 0, revision + 1
    while seen < MOST_IMAGES:
        query = (
            select(history)
            .where(history.c.key == key, history.c.revision < last)
            .order_by(history.c.revision.desc())
            .limit(BATCH)
        )
        images = [image_of_row(row) for row in unit.connection.execute(query)]
        present = [image.data for image in images if image.action is not Action.DELETED]
        learn_references(unit.keys, Kind.CONTROL_UNIT, present)
        yield from images
        if len(images) < BATCH:
            return
        seen, last = seen + BATCH, images[-1].revision
