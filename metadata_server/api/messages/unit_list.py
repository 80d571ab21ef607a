"""Saved lists of control units on the wire."""

from __future__ import annotations

from mds.v1 import unit_list_pb2

from metadata_server.api.messages.maintenance import ids_of
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.resource import shared_content, shared_fields
from metadata_server.domain.intent.unit_list import UnitList
from metadata_server.domain.names import Kind


def unit_list_message(unit_list: UnitList) -> unit_list_pb2.UnitList:
    return unit_list_pb2.UnitList(
        **shared_fields(unit_list),
        control_units=map(Kind.CONTROL_UNIT.name_of, unit_list.control_units),
        id_prefixes=unit_list.id_prefixes,
        unit_labels=unit_list.unit_labels,
        unit_filter=unit_list.unit_filter,
    )


def unit_list_of(message: unit_list_pb2.UnitList, id: str, reading: Reading) -> UnitList:
    return UnitList(
        **shared_content(message, id),
        control_units=ids_of(Kind.CONTROL_UNIT, message.control_units, reading),
        id_prefixes=tuple(sorted(set(message.id_prefixes))),
        unit_labels=dict(message.unit_labels),
        unit_filter=message.unit_filter,
    )
