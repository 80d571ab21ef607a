"""Takes back what a change set did, as a new change, in one transaction.

For each resource three images count: what the change set made of it, what there was before, and
what is there now. Everything is read and locked first, a kind at a time; what comes out of it is
decided and saved like any other change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.bundle import Decision, Item, ItemAction, OnConflict
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.undo import TakenBack, taken_back
from metadata_server.services.intent.planning import Planning, rejected
from metadata_server.services.life.contests import Contest, authors_of, changed_since
from metadata_server.services.past.going_back import WentBack, carry_back
from metadata_server.services.past.undo_names import NamesBack
from metadata_server.services.past.undo_steps import Step, steps_of
from metadata_server.services.past.undo_templates import template_back
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


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
    """What becomes of each resource of a change set, and of who follows a unit to the name that
    it gets back.

    Raises:
        Refused: unless `skip_invalid`, everything that stands against it.
    """
    steps = steps_of(unit, revision)
    stuck: dict[int, Decision] = {}
    while True:
        left = [step for step in steps if step.key not in stuck]
        names = NamesBack(unit, revision, left)
        back = Back(unit, map(names.of, left))
        if back.contests and not skip_invalid:
            raise changed_since(unit, revision, back.contests)
        back.items += names.followers({step.key for step in left} - back.contested)
        planning = Planning(unit, on_conflict=OnConflict.REPLACE, takes_back=True)
        decisions = planning.decide(back.items)
        more = names.stuck(back.items, decisions) if skip_invalid else {}
        if not more:
            return [*decisions, *back.decisions, *stuck.values(), *back.left_out(revision)]
        stuck |= more


class Back:
    """What takes the steps of a change set back.

    Attributes:
        items: what there shall be, to be decided.
        decisions: what is decided already.
        contests: what was changed again since.
    """

    def __init__(self, unit: UnitOfWork, steps: Iterable[Step]) -> None:
        self._unit = unit
        self.items: list[Item] = []
        self.decisions: list[Decision] = []
        self.contests: list[Contest] = []
        for step in steps:
            self._take_step(step)

    @property
    def contested(self) -> set[int]:
        """Keys of what was changed again since."""
        return {contest.key for contest in self.contests}

    def left_out(self, revision: int) -> Iterator[Decision]:
        """That what was changed again since a revision stays."""
        authors = authors_of(self._unit, revision, self.contests)
        for contest, author in zip(self.contests, authors, strict=True):
            yield rejected(Item("", contest.name, None), [contest.problem(author)])

    def _take_step(self, step: Step) -> None:
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
