"""Edits: single fields of many control units, changed as one change set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from metadata_server.domain.change import Caller
from metadata_server.domain.filter.asked import still_passes
from metadata_server.domain.intent.bundle import Item, OnConflict
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import FieldEdit, Step, UnitSelection, edited, steps_of
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.plans import Applied, Applying, carry_out
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.store.intent.unit_selections import selected_units
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import LostRace, UnitOfWork


@dataclass(frozen=True, slots=True)
class Editing:
    """Which units are edited, and how."""

    selection: UnitSelection
    edits: Sequence[FieldEdit]


class Edits:
    """Changes fields of many control units at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def edit(
        self, caller: Caller, editing: Editing, how: Applying, progress: ApplyProgress
    ) -> Answer[Applied]:
        """Edits all units of a selection in one transaction.

        Raises:
            Refused: INVALID_FIELD, for edits that no unit could take; what `carry_out` refuses.
                What a unit cannot take is not raised: it stands in the decisions.
        """
        steps = steps_of(editing.edits)
        replacing = replace(how, on_conflict=OnConflict.REPLACE)

        def work(unit: UnitOfWork) -> Applied:
            return carry_out(
                unit, lambda unit: items_of(unit, editing.selection, steps), replacing, progress
            )

        return await self._store.transact(work, caller=caller)


def items_of(unit: UnitOfWork, selection: UnitSelection, steps: Sequence[Step]) -> list[Item]:
    """The units of a selection as they shall be, and those it names that are not there, sorted
    by id. They are read without a lock, which they get with all else, in the order that all
    writers keep; then they are edited as they are by that time."""
    units = selected_units(unit, selection)
    items = [
        Item(
            "",
            each.name,
            edited(each, steps),
            change=partial(edited_again, selection, each, steps),
        )
        for each in units
    ]
    there = unit.resources.find(ControlUnit, selection.ids).keys() if selection.ids else set()
    items += [not_there(id) for id in set(selection.ids) - there]
    return sorted(items, key=lambda item: item.name)


def edited_again(
    selection: UnitSelection, read: ControlUnit, steps: Sequence[Step], there: Resource
) -> Resource:
    """The edited unit, from what is there.

    Raises:
        LostRace: it is not what it was selected for any more.
    """
    return edited(still_selected(selection, read, there), steps)


def still_selected(selection: UnitSelection, read: ControlUnit, there: Resource) -> ControlUnit:
    """What is there, by now, of a unit that was selected before it was locked.

    Raises:
        LostRace: it is no longer of the template or the unit server that were locked with it, or
            has no longer the labels or the desired state that it was selected by, or passes its
            filter no longer.
    """
    assert isinstance(there, ControlUnit)
    if (there.template, there.unit_server) != (read.template, read.unit_server):
        raise LostRace
    if not selection.labels.items() <= there.labels.items():
        raise LostRace
    if selection.desired_states and there.desired_state not in selection.desired_states:
        raise LostRace
    if not still_passes(selection.filter, there):
        raise LostRace
    return there


def not_there(id: str) -> Item:
    name = Kind.CONTROL_UNIT.name_of(id)
    fault = WrongField("name", name, "a control unit that is there", Kind.CONTROL_UNIT.not_found)
    return Item("", name, None, (fault,))
