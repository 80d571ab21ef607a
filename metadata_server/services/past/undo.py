"""Takes back what a change set did, as a new change, in one transaction.

For each resource three images count: what the change set made of it, what there was before, and
what is there now. Everything is read and locked first, a kind at a time; what comes out of it is
decided and saved like any other change.
"""

from __future__ import annotations

from dataclasses import dataclass

from metadata_server.domain.change import Action, Caller
from metadata_server.domain.change_set import unknown_change_set
from metadata_server.domain.intent.bundle import Decision, Item, ItemAction, OnConflict
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.undo import TakenBack, taken_back
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.planning import Planning, rejected
from metadata_server.services.life.contests import Contest, authors_of, changed_since
from metadata_server.services.past.going_back import WentBack, carry_back
from metadata_server.services.past.undo_templates import template_back
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
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

NEWEST = 2**63 - 1


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


class Undo:
    """Takes change sets back."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def undo(
        self, caller: Caller, revision: int, *, validate_only: bool, skip_invalid: bool
    ) -> Answer[WentBack]:
        """Takes a change set back; what is taken back already stays as it is.

        Raises:
            Refused: CHANGE_SET_NOT_FOUND, HISTORY_TRIMMED, REQUEST_ID_REUSED,
                REASON_REQUIRED; unless `skip_invalid`: CHANGED_SINCE, what breaks by it.
        """

        def work(unit: UnitOfWork) -> WentBack:
            return carry_back(
                unit,
                lambda: undoing(unit, revision, skip_invalid=skip_invalid),
                skip_invalid=skip_invalid,
                validate_only=validate_only,
            )

        return await self._store.transact(work, caller=caller)


def undoing(unit: UnitOfWork, revision: int, *, skip_invalid: bool) -> list[Decision]:
    """What becomes of each resource of a change set.

    Raises:
        Refused: unless `skip_invalid`, everything that stands against it.
    """
    back = Back(unit)
    for step in steps_of(unit, revision):
        back.take(step)
    if back.contests and not skip_invalid:
        raise changed_since(unit, revision, back.contests)
    planning = Planning(unit, on_conflict=OnConflict.REPLACE, takes_back=True)
    decisions = [*planning.decide(back.items), *back.decisions]
    authors = authors_of(unit, revision, back.contests)
    for contest, author in zip(back.contests, authors, strict=True):
        decisions.append(rejected(Item("", contest.name, None), [contest.problem(author)]))
    return decisions


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


class Back:
    """What takes the steps of a change set back.

    Attributes:
        items: what there shall be, to be decided.
        decisions: what is decided already.
        contests: what was changed again since.
    """

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self.items: list[Item] = []
        self.decisions: list[Decision] = []
        self.contests: list[Contest] = []

    def take(self, step: Step) -> None:
        found = step.base, step.target, step.now
        if all(isinstance(each, Template) for each in found):
            self._take_template(step)
            return
        back = taken_back(*found, again=step.again)
        if back.contested:
            self.contests.append(Contest(step.kind, step.key, step.name, step.now, back.contested))
        else:
            self._take(step, back)

    def _take(self, step: Step, back: TakenBack) -> None:
        if back.after is not None:
            stays = step.now is not None and step.now.id == back.after.id
            key = 0 if stays else step.key
            self.items.append(Item("", back.after.name, back.after, key=key))
        elif step.now is not None:
            self.items.append(Item.removal(step.kind, step.now.id))
        else:
            self.decisions.append(Decision(Item("", step.name, None), ItemAction.UNCHANGED))

    def _take_template(self, step: Step) -> None:
        base, target, now = step.base, step.target, step.now
        assert isinstance(base, Template)
        assert isinstance(target, Template)
        assert isinstance(now, Template)
        back = template_back(self._unit, base, target, now)
        if back.contested:
            self.contests.append(Contest(step.kind, step.key, step.name, now, back.contested))
            return
        self.items += back.items
        self.decisions += back.decisions
