"""What has moved since a plan was seen: the reason why it is not what would happen now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from metadata_server.domain.change import Position
from metadata_server.domain.conflict import Conflict
from metadata_server.domain.horizon import check_position
from metadata_server.domain.intent.bundle import PruneScope, SeenPlan
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.removals import Subject
from metadata_server.store.intent.authorship import UNKNOWN, authorships
from metadata_server.store.intent.scopes import came_since, gone_since, gone_with_prefix
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.unit_of_work import LostRace, UnitOfWork

TOLD = 10
SHOWN = 3


def check_seen_plan(
    unit: UnitOfWork,
    seen: SeenPlan,
    plan: str,
    subjects: Collection[Subject],
    prune: Iterable[PruneScope] = (),
) -> None:
    """Passes when what would happen is what somebody has seen.

    Args:
        plan: the token of what would happen.
        subjects: everything that it rests on.

    Raises:
        Refused: PLAN_MOVED, naming what has changed since and by whom; HISTORY_RESET.
    """
    if plan == seen.plan:
        return
    check_position(seen.position, unit.position)
    moved = moved_since(unit, seen.position.revision, subjects, prune)
    raise plan_moved(unit, seen, moved)


def moved_since(
    unit: UnitOfWork,
    revision: int,
    subjects: Iterable[Subject],
    prune: Iterable[PruneScope],
) -> dict[str, tuple[str, int]]:
    """Names of what has changed since a revision, with their etags (empty: gone) and the
    revisions of their last changes, sorted."""
    ids: dict[Kind, set[str]] = defaultdict(set)
    for kind, id in subjects:
        ids[kind].add(id)
    gone: dict[Subject, int] = {}
    for kind, wanted in ids.items():
        gone |= {(kind, id): at for id, at in gone_since(unit, kind, wanted, revision).items()}
    for scope in prune:
        for kind in scope.kinds or DECLARED:
            ended = gone_with_prefix(unit, kind, scope.id_prefix, revision)
            gone |= {(kind, id): at for id, at in ended.items()}
            ids[kind] |= ended.keys()
    moved = {kind.name_of(id): ("", at) for (kind, id), at in gone.items()}
    for kind, wanted in ids.items():
        for id, found in unit.resources.find(LAYOUTS[kind].type, wanted).items():
            moved.pop(kind.name_of(id), None)
            if found.meta.revision > revision:
                moved[found.name] = (found.etag, found.meta.revision)
    return dict(sorted(moved.items()))


def plan_moved(unit: UnitOfWork, seen: SeenPlan, moved: dict[str, tuple[str, int]]) -> Refused:
    """The refusal of a plan that is no longer what would happen."""
    told = dict(list(moved.items())[:TOLD])
    authors = authorships(unit, (revision for _, revision in told.values()))
    conflicts = [
        Conflict(
            name=name,
            etag=etag,
            author=authors.get(revision, UNKNOWN).author,
            reason=authors.get(revision, UNKNOWN).reason,
        )
        for name, (etag, revision) in told.items()
    ]
    some = ", ".join(f"{each.name} by {each.author or 'the system'}" for each in conflicts[:SHOWN])
    more = f" and {len(moved) - SHOWN} more" if len(moved) > SHOWN else ""
    what = f"changed since: {some}{more}" if moved else "what was sent or is published differs"
    return Refused.moved(
        "PLAN_MOVED",
        f"The plan seen at revision {seen.position.revision} is no longer what would happen "
        f"({what}). Nothing was written; plan again.",
        conflicts,
        revision=seen.position.revision,
        moved=len(moved),
        names=" ".join(told),
    )


def check_nothing_came(
    unit: UnitOfWork, begun: Position, prune: Iterable[PruneScope], subjects: Collection[Subject]
) -> None:
    """Passes when nobody has put anything into a pruned scope since this transaction began; to
    be asked once the revision is claimed, when all who came before are to be seen.

    Args:
        begun: the position when it did.

    Raises:
        LostRace: somebody has; the work runs again, and sees it.
    """
    for scope in prune:
        for kind in scope.kinds or DECLARED:
            came = came_since(unit, kind, scope.id_prefix, begun.revision)
            if any((kind, id) not in subjects for id in came):
                raise LostRace
