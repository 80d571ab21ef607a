"""Maintenances on the wire."""

from __future__ import annotations

from collections.abc import Iterable

from mds.v1 import maintenance_pb2

from metadata_server.api.messages.position import time_message, time_us_of
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.resource import shared_content, shared_fields
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Maintenance


def maintenance_message(maintenance: Maintenance) -> maintenance_pb2.Maintenance:
    return maintenance_pb2.Maintenance(
        **shared_fields(maintenance),
        control_units=map(Kind.CONTROL_UNIT.name_of, maintenance.control_units),
        unit_servers=map(Kind.UNIT_SERVER.name_of, maintenance.unit_servers),
        id_prefixes=maintenance.id_prefixes,
        begin_time=time_message(maintenance.begin_time_us),
        end_time=time_message(maintenance.end_time_us),
    )


def maintenance_of(message: maintenance_pb2.Maintenance, id: str, reading: Reading) -> Maintenance:
    return Maintenance(
        **shared_content(message, id),
        control_units=ids_of(Kind.CONTROL_UNIT, message.control_units, reading),
        unit_servers=ids_of(Kind.UNIT_SERVER, message.unit_servers, reading),
        id_prefixes=tuple(sorted(set(message.id_prefixes))),
        begin_time_us=time_us_of(message.begin_time),
        end_time_us=time_us_of(message.end_time),
    )


def ids_of(kind: Kind, names: Iterable[str], reading: Reading) -> tuple[str, ...]:
    """Ids in names, each once, sorted."""
    found = {
        reading.id(kind, name, f"{kind.collection}[{position}]")
        for position, name in enumerate(names)
    }
    return tuple(sorted(found))
