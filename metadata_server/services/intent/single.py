"""What calls about one resource share: its decision, the writing of it, and the refusal to
delete what others use."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from metadata_server.domain.intent.bundle import Decision, Item, ItemAction, OnConflict
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.answers import answer_of
from metadata_server.services.intent.planning import Planning
from metadata_server.services.intent.saving import save_all
from metadata_server.services.orchestration.restraints import Restraints
from metadata_server.store import requests
from metadata_server.store.intent.dependants import (
    dependants_of,
    references_of,
    rely_on_no_session,
)
from metadata_server.store.unit_of_work import LostRace, UnitOfWork


def decide(unit: UnitOfWork, resource: Resource) -> Decision:
    """The decision about one resource.

    Raises:
        Refused: with all of its problems.
    """
    return decided(unit, Item("", resource.name, resource))


def decide_change(
    unit: UnitOfWork, read: Resource, change: Callable[[Resource], Resource]
) -> Decision:
    """The decision about a resource that was read without a lock, and is changed as it is once
    it is locked: after what it refers to, in the order that all writers keep.

    Raises:
        Refused: with all of its problems, or by `change`.
        LostRace: by now it comes to refer to other things than those that are locked with it.
    """
    return decided(unit, change_item(read, change))


def change_item(read: Resource, change: Callable[[Resource], Resource]) -> Item:
    """A resource that was read without a lock, to be changed as it is once it is locked."""
    planned = change(read)

    def changed(there: Resource) -> Resource:
        after = change(there)
        if set(references_of(after)) != set(references_of(planned)):
            raise LostRace
        return after

    return Item("", planned.name, planned, change=changed)


def decided(unit: UnitOfWork, item: Item) -> Decision:
    (decision,) = Planning(unit, on_conflict=OnConflict.REPLACE).decide([item])
    if decision.problems:
        raise Refused.wrong_fields(decision.problems)
    return decision


def finish(
    unit: UnitOfWork,
    decision: Decision,
    followers: Sequence[Decision] = (),
    *,
    validate_only: bool,
) -> Resource:
    """Carries out the decision about one resource, and keeps the answer for repetitions.

    Args:
        followers: what changes with it.
    """
    result = decision.after
    assert result is not None, "what has problems was refused"
    if not validate_only:
        if decision.action is not ItemAction.UNCHANGED:
            saved = save_all(unit, [decision, *followers])
            result = next(each for each in saved if each.name == result.name)
        requests.remember(unit, answer_of(result))
    return result


def refuse_while_used(unit: UnitOfWork, resource: Resource) -> None:
    """Passes when nothing depends on the resource, which is asked of sessions once more when the
    revision is claimed.

    Raises:
        Refused: STILL_IN_USE, with how many depend on it and the first of them.
    """
    count, some = dependants_of(unit, resource)
    if count:
        more = f" and {count - len(some)} more" if count > len(some) else ""
        raise Refused.precondition(
            "STILL_IN_USE",
            f"{resource.name} is still used by {', '.join(some)}{more}. Change or delete "
            "them first.",
            name=resource.name,
            count=count,
            used_by=", ".join(some),
        )
    rely_on_no_session(unit, [resource])


def refuse_while_guarded(unit: UnitOfWork, resource: Resource) -> None:
    """Passes when no guard forbids to delete the resource.

    Raises:
        Refused: FORBIDDEN_BY_GUARD.
    """
    refusal = Restraints(unit).deletion_refusal(resource)
    if refusal is not None:
        raise Refused.wrong_fields([refusal])
