"""What is wrong with machine modes and guards by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from metadata_server.domain.filter.unit_filter import declared_filter_faults
from metadata_server.domain.names import BEGINS_AN_ID, Kind
from metadata_server.domain.orchestration.guard import Guard, MachineMode
from metadata_server.domain.part_checks import name_faults, reference_faults
from metadata_server.domain.refused import WrongField

MODE = re.compile(r"[A-Za-z0-9_.+-]{1,64}\Z")


def machine_mode_faults(machine: MachineMode) -> Iterator[WrongField]:
    yield from mode_faults(machine.modes)
    if machine.modes and machine.mode not in machine.modes:
        yield unknown_mode("mode", machine.mode, machine)


def guard_faults(guard: Guard) -> Iterator[WrongField]:
    if not guard.description.strip():
        yield WrongField("description", guard.description, "why these changes are forbidden")
    yield from reference_faults(
        guard.machine_mode, Kind.MACHINE_MODE, path="machine_mode", needed=True
    )
    yield from mode_faults(guard.modes)
    if not guard.forbids:
        yield WrongField("forbids", "", "at least one kind of change, like ORDERS")
    for position, prefix in enumerate(guard.id_prefixes):
        if not prefix or not BEGINS_AN_ID.match(prefix):
            expected = "the beginning of ids, like DAFNE/PL/"
            yield WrongField(f"id_prefixes[{position}]", prefix, expected)
    for name in guard.unit_labels:
        yield from name_faults(name, path=f"unit_labels[{name}]")
    yield from declared_filter_faults(guard.unit_filter)


def mode_faults(modes: Sequence[str]) -> Iterator[WrongField]:
    if not modes:
        yield WrongField("modes", "", "at least one mode, like BEAM")
    for position, mode in enumerate(modes):
        if not MODE.match(mode):
            expected = "1 to 64 letters, digits and _ . + -, like BEAM"
            yield WrongField(f"modes[{position}]", mode, expected)


def unknown_mode(field: str, mode: str, machine: MachineMode) -> WrongField:
    """That a mode is none that the machine may have."""
    expected = f"one of {', '.join(machine.modes)}, the modes of {machine.name}"
    return WrongField(field, mode, expected)
