"""What guards forbid, for which units, in which modes."""

import re
from dataclasses import replace
from typing import Any

import pytest

from metadata_server.domain.intent.attribute import AttributeOverride
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.guard import (
    FORBIDDEN,
    Guard,
    Guarding,
    MachineMode,
)
from metadata_server.domain.orchestration.guard_checks import guard_faults
from metadata_server.domain.orchestration.guarded_change import GuardedChange

MACHINE = MachineMode(id="DAFNE", mode="BEAM", modes=("ACCESS", "BEAM", "SHUTDOWN"))
GUARD = Guard(
    id="beam",
    description="stored beam",
    machine_mode="DAFNE",
    modes=("BEAM",),
    forbids=(GuardedChange.ORDERS,),
)
UNIT = ControlUnit(
    id="DAFNE/PL/Q1",
    template="Supply",
    template_version=1,
    unit_server="US",
    desired_state=State.RUNNING,
    labels={"safety": "yes"},
    overrides=(AttributeOverride("current", {"maximum": "10"}),),
)
CHANGES: dict[GuardedChange, dict[str, Any]] = {
    GuardedChange.ORDERS: {"desired_state": State.STOPPED},
    GuardedChange.OVERRIDES: {"overrides": (AttributeOverride("current", {"maximum": "12"}),)},
    GuardedChange.PARAMETERS: {"parameters": {"ramp": "1"}},
    GuardedChange.TEMPLATE: {"template_version": 2},
    GuardedChange.MOVES: {"unit_server": "OTHER"},
}


def guarding(guard: Guard = GUARD, machine: MachineMode = MACHINE) -> Guarding:
    return Guarding.of([guard], [machine])


def refused(guard: Guard, after: ControlUnit, before: ControlUnit | None = UNIT) -> list[str]:
    """The fields that a guard refuses to change."""
    return [each.field for each in guarding(guard).refusals(before, after)]


@pytest.mark.parametrize("forbidden", CHANGES)
@pytest.mark.parametrize("made", CHANGES)
def test_a_guard_forbids_just_the_changes_that_it_names(
    forbidden: GuardedChange, made: GuardedChange
) -> None:
    guard = replace(GUARD, forbids=(forbidden,))
    after = replace(UNIT, **CHANGES[made])
    assert bool(refused(guard, after)) == (forbidden is made)


@pytest.mark.parametrize("made", [*CHANGES.values(), {"description": "new"}, {"id": "DAFNE/Q2"}])
def test_everything_is_any_change(made: dict[str, Any]) -> None:
    guard = replace(GUARD, forbids=(GuardedChange.EVERYTHING,))
    assert refused(guard, replace(UNIT, **made))


@pytest.mark.parametrize("mode", ["ACCESS", "SHUTDOWN"])
def test_in_other_modes_nothing_is_forbidden(mode: str) -> None:
    assert not guarding(machine=replace(MACHINE, mode=mode)).guards


@pytest.mark.parametrize(
    ("filters", "reached"),
    [
        ({}, True),
        ({"control_units": ("DAFNE/PL/Q1",)}, True),
        ({"control_units": ("DAFNE/PL/Q2",)}, False),
        ({"id_prefixes": ("DAFNE/PL/",)}, True),
        ({"control_units": ("X",), "id_prefixes": ("DAFNE/",)}, True),
        ({"id_prefixes": ("DAFNE/PX/",)}, False),
        ({"unit_servers": ("US", "V")}, True),
        ({"unit_servers": ("V",)}, False),
        ({"templates": ("Supply",), "id_prefixes": ("BTF/",)}, False),
        ({"templates": ("Camera",)}, False),
        ({"unit_labels": {"safety": "yes"}}, True),
        ({"unit_labels": {"safety": "no"}}, False),
        ({"unit_filter": "template:Supp* unit_server=US label.safety=yes -zone=BTF"}, True),
        ({"unit_filter": "desired=RUNNING overrides>0", "id_prefixes": ("DAFNE/",)}, True),
        ({"unit_filter": "level>0"}, False),
    ],
)
def test_a_guard_reaches_units_that_pass_all_of_its_filters(
    filters: dict[str, Any], *, reached: bool
) -> None:
    guard = replace(GUARD, **filters)
    assert guard.reaches(UNIT) is reached
    assert bool(guarding(guard).barring(UNIT, {"desired_state"})) is reached


@pytest.mark.parametrize(
    ("filters", "escape", "field"),
    [
        ({"id_prefixes": ("DAFNE/",)}, {"id": "BTF/Q1"}, "name"),
        ({"unit_servers": ("US",)}, {"unit_server": "V"}, "unit_server"),
        ({"unit_labels": {"safety": "yes"}}, {"labels": {}}, "labels[safety]"),
        ({"unit_filter": "level<3"}, {"level": 3, "description": "moved"}, "level"),
    ],
)
def test_no_unit_slips_out_of_the_reach_of_a_guard(
    filters: dict[str, Any], escape: dict[str, Any], field: str
) -> None:
    guard = replace(GUARD, **filters)
    assert refused(guard, replace(UNIT, **escape)) == [field]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("levle=1", 'unit_filter, column 1: there is no key "levle" .* did you mean "level"'),
        ("level=1 state=RUNNING", "unit_filter, column 9: state cannot be asked for here"),
        ("changed<1h", "changed cannot be asked for here, because it is not declared, or changes"),
        ("generation>1", "generation cannot be asked for here"),
    ],
)
def test_the_filter_of_a_guard_asks_for_what_is_declared(text: str, told: str) -> None:
    (fault,) = guard_faults(replace(GUARD, description="why", unit_filter=text))
    assert fault.reason == "INVALID_FILTER"
    assert re.search(told, fault.message)


def test_a_unit_that_comes_into_reach_obeys_at_once() -> None:
    guard = replace(GUARD, unit_servers=("V",))
    moved = replace(UNIT, unit_server="V")
    assert not refused(guard, moved)
    assert refused(guard, replace(moved, desired_state=State.STOPPED)) == ["desired_state"]


def test_a_new_unit_counts_as_a_change_from_nothing() -> None:
    assert refused(GUARD, UNIT, before=None) == ["desired_state"]
    assert not refused(GUARD, replace(UNIT, desired_state=State.UNSPECIFIED), before=None)
    everything = replace(GUARD, forbids=(GuardedChange.EVERYTHING,))
    assert refused(everything, UNIT, before=None) == ["name"]


@pytest.mark.parametrize(
    ("forbids", "is_kept"),
    [
        (GuardedChange.ORDERS, False),
        (GuardedChange.DELETION, True),
        (GuardedChange.EVERYTHING, True),
    ],
)
def test_deletion_has_a_word_of_its_own(forbids: GuardedChange, *, is_kept: bool) -> None:
    found = guarding(replace(GUARD, forbids=(forbids,))).deletion_refusal(UNIT)
    assert (found is not None) is is_kept


def test_a_refusal_names_the_guard_the_machine_its_mode_and_what_to_wait_for() -> None:
    (told,) = guarding().refusals(UNIT, replace(UNIT, desired_state=State.STOPPED))
    assert (told.field, told.value, told.reason) == (
        "desired_state", "STOPPED", FORBIDDEN,
    )  # fmt: skip
    assert told.expected.startswith(
        "RUNNING, as it is: guards/beam forbids it while machine_modes/DAFNE is BEAM until it is "
        "ACCESS or SHUTDOWN (stored beam)"
    )


def test_a_refusal_names_the_very_value_that_would_change() -> None:
    guard = replace(GUARD, forbids=(GuardedChange.OVERRIDES,))
    after = replace(UNIT, **CHANGES[GuardedChange.OVERRIDES])
    (told,) = guarding(guard).refusals(UNIT, after)
    assert (told.field, told.value) == ("overrides[current].maximum", "12")
    assert told.expected.startswith("10, as it is")
