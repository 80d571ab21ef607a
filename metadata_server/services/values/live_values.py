"""What the inputs of control units are set to; one method a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metadata_server.domain.filter.asked_list import AskedList, ordered
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.values.live_values import UnitLiveValues
from metadata_server.services.life.statuses import contacts_of
from metadata_server.store.intent.unit_selections import selected_units
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.values.live_values import Held, held_values


class LiveValues:
    """Reads what units last reported that their inputs are set to."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, id: str) -> Answer[UnitLiveValues]:
        """The values of one control unit.

        Raises:
            Refused: CONTROL_UNIT_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> UnitLiveValues:
            key = unit.resources.get(ControlUnit, id).meta.key
            return live_values_of(unit, {id: key})[0]

        return await self._store.read(work)

    async def list(
        self, selection: UnitSelection, asked: AskedList
    ) -> Answer[Sequence[UnitLiveValues]]:
        """The values of those units of a selection that are asked for.

        Raises:
            Refused: CONTROL_UNIT_NOT_FOUND, with all that it names and that are not there;
                INVALID_FILTER, INVALID_FIELD.
        """
        return await self._store.read(
            lambda unit: ordered(selected_values(unit, selection), asked, unit.now_us)
        )


def selected_values(unit: UnitOfWork, selection: UnitSelection) -> Sequence[UnitLiveValues]:
    """The values of all units of a selection, sorted by id.

    Raises:
        Refused: CONTROL_UNIT_NOT_FOUND, with all that it names and that are not there.
    """
    check_there(unit, selection)
    found = selected_units(unit, selection)
    return live_values_of(unit, {each.id: each.meta.key for each in found})


def check_there(unit: UnitOfWork, selection: UnitSelection) -> None:
    """
    Raises:
        Refused: CONTROL_UNIT_NOT_FOUND, with all that it names and that are not there.
    """
    there = unit.keys.find(Kind.CONTROL_UNIT, selection.ids)
    names = [Kind.CONTROL_UNIT.name_of(id) for id in selection.ids if id not in there]
    if names:
        expected, reason = "a control unit that is there", Kind.CONTROL_UNIT.not_found
        raise Refused.wrong_fields(
            [WrongField("selection.names", name, expected, reason) for name in names]
        )


def live_values_of(unit: UnitOfWork, keys: Mapping[str, int]) -> Sequence[UnitLiveValues]:
    """The values of units, in the order of `keys`, which go by id."""
    held = held_values(unit, keys.values())
    servers = {each.unit_server_key for each in held.values()} - {None}
    contacts = contacts_of(unit, [key for key in servers if key is not None])
    never = Held(0, State.UNLOADED, None, "", "", None)
    return [
        UnitLiveValues(
            control_unit=id,
            state=(mine := held.get(key, never)).state,
            contact=contact_to(mine, contacts),
            values=mine.values,
            read_us=unit.now_us,
        )
        for id, key in keys.items()
    ]


def contact_to(held: Held, contacts: Mapping[str, Contact]) -> Contact:
    """The contact to the session that reported the values of a unit."""
    is_of_last = held.values is None or held.reported_by == held.session
    return contacts.get(held.session, Contact.NONE) if is_of_last else Contact.NONE
