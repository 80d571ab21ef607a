"""Selections of control units, and edits of their fields, on the wire."""

from __future__ import annotations

from mds.v1 import edit_pb2

from metadata_server.api.messages.enums import STATES
from metadata_server.api.messages.reading import Reading
from metadata_server.domain.filter.parser import parse_filter
from metadata_server.domain.intent.edit import FieldEdit, UnitSelection
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind


def selection_of(message: edit_pb2.UnitSelection) -> UnitSelection:
    """Which control units a request is about.

    Raises:
        Refused: INVALID_FILTER; INVALID_ID, INVALID_FIELD, with everything that is wrong with it.
    """
    reading = Reading()
    selection = read_selection(message, reading, "selection")
    reading.finish()
    return selection


def read_selection(message: edit_pb2.UnitSelection, reading: Reading, where: str) -> UnitSelection:
    """A selection that is the field `where` of what is read.

    Raises:
        Refused: INVALID_FILTER.
    """
    parse_filter(message.filter, Kind.CONTROL_UNIT, f"{where}.filter")
    return UnitSelection(
        ids=tuple(
            reading.id(Kind.CONTROL_UNIT, name, f"{where}.names[{position}]")
            for position, name in enumerate(message.names)
        ),
        id_prefix=message.id_prefix,
        zone=message.zone,
        template=reading.reference(Kind.TEMPLATE, message.template, f"{where}.template"),
        unit_server=reading.reference(
            Kind.UNIT_SERVER, message.unit_server, f"{where}.unit_server"
        ),
        labels=dict(message.labels),
        state=reading.member(STATES, message.state, f"{where}.state", State.UNSPECIFIED),
        id_prefixes=tuple(message.id_prefixes),
        unit_list=reading.reference(Kind.UNIT_LIST, message.unit_list, f"{where}.unit_list"),
        desired_states=frozenset(
            reading.member(STATES, number, f"{where}.desired_states[{place}]", State.UNSPECIFIED)
            for place, number in enumerate(message.desired_states)
        ),
        filter=message.filter,
    )


def selection_message(selection: UnitSelection) -> edit_pb2.UnitSelection:
    named = Kind.CONTROL_UNIT.name_of
    return edit_pb2.UnitSelection(
        names=map(named, selection.ids),
        id_prefix=selection.id_prefix,
        zone=selection.zone,
        template=reference(Kind.TEMPLATE, selection.template),
        unit_server=reference(Kind.UNIT_SERVER, selection.unit_server),
        labels=selection.labels,
        state=STATES.number[selection.state],
        id_prefixes=selection.id_prefixes,
        unit_list=reference(Kind.UNIT_LIST, selection.unit_list),
        desired_states=[STATES.number[each] for each in sorted(selection.desired_states)],
        filter=selection.filter,
    )


def reference(kind: Kind, id: str) -> str:
    return kind.name_of(id) if id else ""


def edit_of(message: edit_pb2.FieldEdit) -> FieldEdit:
    return FieldEdit(message.path, message.value if message.HasField("value") else None)
