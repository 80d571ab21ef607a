"""Control units and execution units as a file states them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mds.v1.dataset_pb2 import Direction
from mds.v1.driver_pb2 import Driver
from mds.v1.state_pb2 import State

from control_units.importers.chaos.attributes import (
    StatedAttribute,
    read_attributes,
    wrong_facets,
)
from control_units.importers.chaos.drivers import read_drivers, rests_of
from control_units.importers.chaos.entries import Entry, flag_of, is_empty, text_of
from control_units.importers.chaos.parameters import take_parameters
from control_units.importers.findings import Findings
from control_units.importers.ids import fault_of
from control_units.importers.json_text import Value

ID = ("ndk_uid", "cu_id")
IMPLEMENTATION = ("control_unit_implementation", "cu_type")
_ATTRIBUTES = ("attribute_value_descriptions", "AttrDesc")
_DRIVERS = ("cudk_driver_description", "DriverDescription")
_FLAGS = ("auto_load", "auto_init", "auto_start")


@dataclass(frozen=True, slots=True)
class StatedUnit:
    """All that a file says of one unit, in our terms.

    Attributes:
        name: with its collection.
        host: name of what hosts it, with its collection; empty: nothing.
        attributes: by name.
        drivers: in order.
        parameters: text by our name.
    """

    name: str
    entry: Entry
    implementation: str
    host: str
    description: str
    desired_state: "State.ValueType"
    attributes: Mapping[str, StatedAttribute] = field(default_factory=dict)
    drivers: tuple[Driver, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return self.entry.place

    @property
    def implementation_place(self) -> str:
        return self.entry.place_of(*IMPLEMENTATION)

    @property
    def drivers_place(self) -> str:
        return self.entry.place_of(*_DRIVERS)


def read_unit(entry: Entry, collection: str, host: str, findings: Findings) -> StatedUnit | None:
    """What the entry says; None: it has problems, which are among the findings.

    The key of an entry, where it has one, is its id: sites copy entries and forget the field.
    """
    before = len(findings.problems)
    unit_id = take_id(entry, collection, findings)
    name = f"{collection}/{unit_id}"
    take_type(entry, "nt_control_unit")
    implementation = entry.text(*IMPLEMENTATION)
    attributes = _attributes(entry, name, findings)
    drivers = _drivers(entry, findings)
    unit = StatedUnit(
        name,
        entry,
        implementation,
        host,
        entry.text("cudk_desc"),
        _desired_state(entry, name, findings),
        attributes,
        drivers,
        take_parameters(entry, findings, name),
        entry.properties(findings),
    )
    return unit if len(findings.problems) == before else None


def take_id(
    entry: Entry, collection: str, findings: Findings, *, spellings: tuple[str, ...] = ID
) -> str:
    """The id of an entry; one that breaks the rules of ids is a problem."""
    stated = entry.text(*spellings)
    unit_id = entry.key or stated
    place = entry.place if entry.key else entry.place_of(*spellings)
    if entry.key and stated and stated != entry.key:
        entry.put_back(spellings[0], stated)
        findings.note(
            entry.place_of(*spellings),
            f"says {stated!r}; the entry stands under the key {entry.key!r}, which is taken as "
            f"its id, and this is kept as the property {spellings[0]}",
        )
    fault = fault_of(unit_id)
    if fault is not None:
        findings.problem(
            place,
            fault,
            value=unit_id,
            reason="INVALID_ID",
            name=f"{collection}/{unit_id}",
            field="name",
        )
    return unit_id


def take_type(entry: Entry, usual: str) -> None:
    """The usual type of an entry says only what section it stands in; another is left over."""
    type_ = entry.take("ndk_type")
    if type_ is not None and type_ != usual:
        entry.put_back("ndk_type", type_)


def _attributes(entry: Entry, name: str, findings: Findings) -> dict[str, StatedAttribute]:
    place = entry.place_of(*_ATTRIBUTES)
    found: dict[str, StatedAttribute] = {}
    rests: dict[str, Value] = {}
    for stated in read_attributes(entry.take(*_ATTRIBUTES), place, findings):
        first = found.get(stated.name)
        if first is None:
            found[stated.name] = stated
            _check(stated, len(found) - 1, name, findings)
            if stated.rest:
                rests[stated.name] = dict(stated.rest)
        elif first.facets == stated.facets and first.rest == stated.rest:
            findings.repeated[f"attribute {stated.name}"] += 1
        else:
            findings.problem(
                stated.place,
                f"each attribute once; it differs from the first, {first.place}",
                value=stated.name,
                name=name,
                field="overrides",
            )
    if rests:
        entry.put_back(place.rpartition(".")[2], rests)
    return found


def _check(stated: StatedAttribute, index: int, name: str, findings: Findings) -> None:
    for wrong in wrong_facets(stated.facets):
        findings.problem(
            stated.place_of(wrong.facet),
            wrong.expected,
            value=stated.facets[wrong.facet],
            reason=wrong.reason,
            name=name,
            field=f"overrides[{index}].{wrong.facet}",
        )
    if stated.direction == Direction.DIRECTION_OUTPUT and stated.facets:
        refuse_output(stated, name, findings)


def refuse_output(stated: StatedAttribute, name: str, findings: Findings) -> None:
    """An output is what the unit reads back: nobody can narrow it."""
    findings.problem(
        stated.place,
        "an input or bidirectional attribute: an output cannot be overridden",
        value=stated.name,
        reason="OVERRIDE_OF_OUTPUT",
        name=name,
        field="overrides",
    )


def _drivers(entry: Entry, findings: Findings) -> tuple[Driver, ...]:
    place = entry.place_of(*_DRIVERS)
    stated = list(read_drivers(entry.take(*_DRIVERS), place, findings))
    if rests := rests_of(stated):
        entry.put_back(place.rpartition(".")[2], rests)
    return tuple(s.driver for s in stated)


def _desired_state(entry: Entry, name: str, findings: Findings) -> "State.ValueType":
    """What the three flags together want: load, then init, then start, each only after the one
    before. Without load nobody wants anything: the unit is left alone. A flag that stands
    after a missing one says nothing of a state and is left over."""
    flags: dict[str, bool] = {}
    for flag in _FLAGS:
        value = entry.take(flag)
        found = False if is_empty(value) else flag_of(value)
        if found is None:
            findings.problem(entry.place_of(flag), "true or false", value=text_of(value), name=name)
        flags[flag] = bool(found)
    state: State.ValueType = State.STATE_UNSPECIFIED
    steps = (State.STATE_LOADED, State.STATE_INITIALIZED, State.STATE_RUNNING)
    goes_on = True
    for (flag, is_set), step in zip(flags.items(), steps, strict=True):
        goes_on = goes_on and is_set
        if goes_on:
            state = step
        elif is_set:
            entry.put_back(flag, entry.original(flag))
    return state
