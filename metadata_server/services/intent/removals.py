"""Decides what shall not be there any more: what a bundle says to remove, and what it does not
name in the scopes that it prunes. What others still use stays, unless they go too, or let go of
it in the same bundle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from metadata_server.domain.intent.bundle import Decision, Item, ItemAction, PruneScope
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource
from metadata_server.services.orchestration.restraints import Restraints
from metadata_server.store.intent.dependants import (
    User,
    references_of,
    rely_on_no_session,
    users_of,
)
from metadata_server.store.intent.scopes import ids_in
from metadata_server.store.unit_of_work import UnitOfWork

SHOWN = 5
Subject = tuple[Kind, str]


def pruned(unit: UnitOfWork, scopes: Iterable[PruneScope], items: Iterable[Item]) -> list[Item]:
    """Removals of all that lies in some scopes and that no item names, rightly or wrongly."""
    named = {item.name for item in items}
    found: dict[Subject, Item] = {}
    for scope in scopes:
        for kind in scope.kinds or DECLARED:
            for id in ids_in(unit, kind, scope.id_prefix):
                if kind.name_of(id) not in named:
                    found.setdefault((kind, id), Item.removal(kind, id))
    return [found[subject] for subject in sorted(found)]


class Removals:
    """What becomes of removals, once everything else of a bundle is decided.

    Attributes:
        users: names of what stands, or stood, in the way; for the question what has moved.
    """

    def __init__(
        self, unit: UnitOfWork, decisions: Iterable[Decision], restraints: Restraints
    ) -> None:
        self._unit = unit
        self._restraints = restraints
        self._settled: set[int] = set()
        self._coming: dict[Subject, list[User]] = defaultdict(list)
        for decision in decisions:
            if decision.after is not None:
                self._take(decision.before, decision.after)

    def _take(self, before: Resource | None, after: Resource) -> None:
        """What will be there counts instead of what is there."""
        if before is not None:
            self._settled.add(before.meta.key)
        for subject in references_of(after):
            self._coming[subject].append(User(after.meta.key, after.name))

    def decide(
        self, kind: Kind, items: Sequence[Item], before: Mapping[Subject, Resource]
    ) -> list[Decision]:
        """Of one kind; users come before what they use.

        Args:
            before: what is there, read and locked.
        """
        there = {s: before[s] for item in items if (s := item.removed) and s in before}
        used = users_of(self._unit, kind, (each.meta.key for each in there.values()))
        decisions = [self._decide(item, there, used) for item in items]
        going = (each.before for each in decisions if each.action is ItemAction.REMOVED)
        rely_on_no_session(self._unit, [each for each in going if each is not None])
        return decisions

    def _decide(
        self, item: Item, there: Mapping[Subject, Resource], used: Mapping[int, Sequence[User]]
    ) -> Decision:
        assert item.removed is not None
        found = there.get(item.removed)
        if found is None:
            return Decision(item, ItemAction.UNCHANGED)
        users = [each for each in used.get(found.meta.key, ()) if each.key not in self._settled]
        users += self._coming.get(item.removed, ())
        if users:
            return Decision(
                item, ItemAction.REJECTED, found, problems=(still_in_use(found, users),)
            )
        refusal = self._restraints.deletion_refusal(found)
        if refusal is not None:
            return Decision(item, ItemAction.REJECTED, found, problems=(refusal,))
        self._settled.add(found.meta.key)
        return Decision(item, ItemAction.REMOVED, found)


def still_in_use(resource: Resource, users: Sequence[User]) -> WrongField:
    names = ", ".join(each.name for each in users[:SHOWN])
    more = f" and {len(users) - SHOWN} more" if len(users) > SHOWN else ""
    expected = f"a {resource.kind.words} that nothing uses; this one is used by {names}{more}"
    return WrongField("name", resource.name, expected, "STILL_IN_USE")
