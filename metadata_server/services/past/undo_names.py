"""Names of control units while a change set is taken back.

Units that depend on others, and lists, name them by ids; an image of the past by those that they
had then. What goes back names each unit as it is called once all of it has gone back, and so does
what it is compared with: then a rename in between is no difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from metadata_server.domain.intent.bundle import Decision, Item, ItemAction
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.undo import taken_back
from metadata_server.services.intent.planning import rejected
from metadata_server.services.past.undo_steps import Step
from metadata_server.services.watching.followers import followers, following, named_in
from metadata_server.store.past.called_now import called_now
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Rename:
    """A unit that gets an id back."""

    key: int
    id: str
    new_id: str


class NamesBack:
    """What units are called once some steps of a change set have gone back."""

    def __init__(self, unit: UnitOfWork, revision: int, steps: Sequence[Step]) -> None:
        self._unit = unit
        self._made = called_now(unit, {id for s in steps for id in named_in(s.base)}, revision)
        self._was = called_now(unit, {id for s in steps for id in named_in(s.target)}, revision - 1)
        self._new_ids: Mapping[str, str] = {}
        self._renames = list(renames_of(map(self.of, steps)))
        self._new_ids = {each.id: each.new_id for each in self._renames}

    def of(self, step: Step) -> Step:
        """A step in which all units are named as they are called then."""
        new_ids = self._new_ids
        made = {id: new_ids.get(now, now) for id, now in self._made.items()}
        was = {id: new_ids.get(now, now) for id, now in self._was.items()}
        return replace(
            step,
            base=step.base and following(step.base, made),
            target=step.target and following(step.target, was),
            now=step.now and following(step.now, new_ids),
        )

    def followers(self, taken: Collection[int]) -> list[Item]:
        """What else changes, as it names a unit that gets an id back.

        Args:
            taken: keys of what goes back itself.
        """
        return [
            item
            for each in self._renames
            for item in followers(self._unit, each.id, each.new_id)
            if item.resource is not None and item.resource.meta.key not in taken
        ]

    def stuck(self, items: Sequence[Item], decisions: Sequence[Decision]) -> dict[int, Decision]:
        """That units do not get their ids back, by key: nothing may be left behind that names
        them, and what stands against one of those stands against all."""
        found = {}
        for rename in self._renames:
            problems = [
                replace(problem, subject=problem.subject or item.name)
                for item, decision in zip(items, decisions, strict=True)
                if decision.action is ItemAction.REJECTED
                and (item.key == rename.key or rename.new_id in named_in(item.resource))
                for problem in decision.problems
            ]
            if problems:
                name = ControlUnit.kind.name_of(rename.id)
                found[rename.key] = rejected(Item("", name, None), problems)
        return found


def renames_of(steps: Iterator[Step]) -> Iterator[Rename]:
    """The units that get ids back, where nothing of them was changed again since."""
    for step in steps:
        base, target, now = step.base, step.target, step.now
        if isinstance(now, ControlUnit) and base and target and base.id != target.id:
            back = taken_back(base, target, now, again=step.again)
            if not back.contested and back.after and back.after.id != now.id:
                yield Rename(step.key, now.id, back.after.id)
