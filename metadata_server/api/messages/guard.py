"""Machine modes and guards on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mds.v1 import guard_pb2, machine_mode_pb2

from metadata_server.api.messages.enums import GUARDED_CHANGES
from metadata_server.api.messages.maintenance import ids_of
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.resource import shared_content, shared_fields
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.orchestration.guarded_change import GuardedChange


def machine_mode_message(machine: MachineMode) -> machine_mode_pb2.MachineMode:
    return machine_mode_pb2.MachineMode(
        **shared_fields(machine), mode=machine.mode, modes=machine.modes
    )


def machine_mode_of(message: machine_mode_pb2.MachineMode, id: str, _: Reading) -> MachineMode:
    return MachineMode(
        **shared_content(message, id), mode=message.mode, modes=tuple(sorted(set(message.modes)))
    )


def guard_message(guard: Guard) -> guard_pb2.Guard:
    return guard_pb2.Guard(
        **shared_fields(guard),
        machine_mode=Kind.MACHINE_MODE.name_of(guard.machine_mode) if guard.machine_mode else "",
        modes=guard.modes,
        forbids=(GUARDED_CHANGES.number[each] for each in guard.forbids),
        control_units=map(Kind.CONTROL_UNIT.name_of, guard.control_units),
        id_prefixes=guard.id_prefixes,
        unit_servers=map(Kind.UNIT_SERVER.name_of, guard.unit_servers),
        templates=map(Kind.TEMPLATE.name_of, guard.templates),
        unit_labels=guard.unit_labels,
        unit_filter=guard.unit_filter,
    )


def guard_of(message: guard_pb2.Guard, id: str, reading: Reading) -> Guard:
    return Guard(
        **shared_content(message, id),
        machine_mode=reading.reference(Kind.MACHINE_MODE, message.machine_mode, "machine_mode"),
        modes=tuple(sorted(set(message.modes))),
        forbids=tuple(sorted(set(changes_of(message.forbids, reading)))),
        control_units=ids_of(Kind.CONTROL_UNIT, message.control_units, reading),
        id_prefixes=tuple(sorted(set(message.id_prefixes))),
        unit_servers=ids_of(Kind.UNIT_SERVER, message.unit_servers, reading),
        templates=ids_of(Kind.TEMPLATE, message.templates, reading),
        unit_labels=dict(message.unit_labels),
        unit_filter=message.unit_filter,
    )


def changes_of(numbers: Iterable[int], reading: Reading) -> Iterator[GuardedChange]:
    for position, number in enumerate(numbers):
        yield reading.member(
            GUARDED_CHANGES, number, f"forbids[{position}]", GuardedChange.EVERYTHING
        )
