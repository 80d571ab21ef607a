"""What becomes of one resource when a change of it is taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from metadata_server.domain.difference import differences
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.merge import Contested, merge
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.resource import Resource
from metadata_server.domain.tree import resource_of, tree_of


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Attributes:
    after: what there shall be; None: nothing.
    contested: what was changed again since; where there is any, nothing is taken back.
    """

    after: Resource | None
    contested: tuple[Contested, ...] = ()


def taken_back(
    base: Resource | None, target: Resource | None, now: Resource | None, *, again: bool = False
) -> TakenBack:
    """What a resource becomes.

    What is taken back already stays as it is.

    Args:
        base: what the change made of it; None: nothing.
        target: what it was before; None: nothing.
        now: what is there.
        again: whether it has come back since it was deleted, and was deleted again.
    """
    if base is None:
        gone_again = target is not None and now is None and again
        contested = (Contested("name", None, target.name, None),) if gone_again and target else ()
        return TakenBack(now or target, contested)
    if target is None:
        return created_taken_back(base, now)
    if now is None:
        return TakenBack(None, (Contested("name", base.name, target.name, None),))
    if now == base:
        return TakenBack(forward(target, now))
    return merged(base, target, now)


def created_taken_back(base: Resource, now: Resource | None) -> TakenBack:
    """What was created goes, unless somebody has made something else of it."""
    if now is None or now == base:
        return TakenBack(None)
    found = [Contested(each.path, each.before, None, each.after) for each in differences(base, now)]
    if now.id != base.id:
        found.insert(0, Contested("name", base.name, None, now.name))
    return TakenBack(now, tuple(found))


def merged(base: Resource, target: Resource, now: Resource) -> TakenBack:
    """Field by field, and the id as one field more."""
    found = merge(tree_of(base), tree_of(target), tree_of(now))
    contested = found.contested
    id = now.id
    if base.id != target.id:
        if now.id == base.id:
            id = target.id
        elif now.id != target.id:
            contested = (Contested("name", base.name, target.name, now.name), *contested)
    if contested:
        return TakenBack(now, contested)
    after = resource_of(type(now), found.tree, id=id, meta=now.meta)
    return TakenBack(forward(after, now))


def forward(after: Resource, now: Resource) -> Resource:
    """A resource that goes back to what it was, as far as it can: orders to recover are counted
    on, because a unit would take the next one for one that it has carried out; likewise those to
    restart a unit server."""
    if isinstance(after, ControlUnit) and isinstance(now, ControlUnit):
        count = max(after.recover_count, now.recover_count)
        return replace(after, recover_count=count, meta=now.meta)
    if isinstance(after, UnitServer) and isinstance(now, UnitServer) and after.launch:
        count = now.launch.restart_count if now.launch else 0
        launch = replace(after.launch, restart_count=max(after.launch.restart_count, count))
        return replace(after, launch=launch, meta=now.meta)
    return replace(after, meta=now.meta)
