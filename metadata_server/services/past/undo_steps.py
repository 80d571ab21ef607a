"""What a change set did, one step a resource, with what was there before and what is there now."""

from __future__ import annotations

from dataclasses import dataclass

from metadata_server.domain.change import Action
from metadata_server.domain.change_set import unknown_change_set
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.past.history import (
    Image,
    check_whole,
    images_at,
    images_of_revision,
    learn_references,
    resource_of,
)
from metadata_server.store.past.moments import check_kept
from metadata_server.store.past.past import NEWEST
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Step:
    """One resource of a change set: what that made of it, what was before, what is there.

    Attributes:
        again: whether it is gone though it was there once more since.
    """

    kind: Kind
    key: int
    base: Resource | None
    target: Resource | None
    now: Resource | None
    again: bool

    @property
    def name(self) -> str:
        known = self.now or self.base or self.target
        return known.name if known else ""


def steps_of(unit: UnitOfWork, revision: int) -> list[Step]:
    """All resources of a change set; those that are there are locked.

    Raises:
        Refused: CHANGE_SET_NOT_FOUND, HISTORY_TRIMMED.
    """
    images = images_of_revision(unit, revision)
    if not images:
        raise unknown_change_set(revision)
    check_kept(unit, revision - 1, {image.kind for image in images})
    keys = [image.key for image in images]
    earlier = images_at(unit, keys, revision - 1)
    # Asked again: what was trimmed in between must not count as what never was. Who takes the
    # change of a thing for its creation deletes it.
    check_kept(unit, revision - 1, {image.kind for image in images})
    if any(each.action is Action.UPDATED and each.key not in earlier for each in images):
        raise Refused.trimmed(
            "HISTORY_TRIMMED",
            f"What was there before change set {revision} is not kept any more.",
            revision=revision,
        )
    present: dict[int, Resource] = {}
    for kind in DECLARED:
        of_kind = [image for image in images if image.kind is kind]
        if of_kind:
            type_ = LAYOUTS[kind].type
            wanted = [image.key for image in of_kind]
            present |= unit.resources.of_keys(type_, wanted, lock=True)
            before = [earlier[key] for key in wanted if key in earlier]
            learn_references(unit.keys, kind, [each.data for each in (*of_kind, *before)])
    gone = images_at(unit, [key for key in keys if key not in present], NEWEST)
    return [
        Step(
            image.kind,
            image.key,
            there(unit, image),
            there(unit, earlier.get(image.key)),
            present.get(image.key),
            again=image.key in gone and gone[image.key].revision > revision,
        )
        for image in images
    ]


def there(unit: UnitOfWork, image: Image | None) -> Resource | None:
    if image is None or image.action is Action.DELETED:
        return None
    check_whole(image)
    return resource_of(image, unit.keys)
