"""What unit servers say when they register, and what they are told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from metadata_server.domain.change import Position
from metadata_server.domain.checks import dataset_contradictions
from metadata_server.domain.intent.attribute import Attribute
from metadata_server.domain.intent.configuration import Configuration
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.life.condition import (
    DATASET_CONTRADICTS_TEMPLATE,
    MOST_FIELDS,
    Condition,
)
from metadata_server.domain.life.session import Session
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField, shown

MAXIMUM_INCARNATION = 64
MAXIMUM_TEXT = 255
MAXIMUM_CLASSES = 1_000
LARGEST_NUMBER = 2**63 - 1
SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """A unit server that comes.

    Attributes:
        unit_server: its id.
        incarnation: made by the process when it started, at random.
        classes: hash of the dataset that its units publish, by class without a leading `::`;
            empty: not yet known.
        held_fingerprints: of the configurations that it holds already, by id of the unit.
    """

    unit_server: str
    incarnation: str
    classes: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    address: str = ""
    pid: int = 0
    version: str = ""
    held_fingerprints: Mapping[str, str] = field(default_factory=dict)
    take_over: bool = False

    def check(self) -> None:
        """Passes when all fields can be kept.

        Raises:
            Refused: INVALID_FIELD, naming all that cannot.
        """
        faults = list(self._faults())
        if faults:
            raise Refused.wrong_fields(faults)

    def _faults(self) -> Iterator[WrongField]:
        if not 0 < len(self.incarnation) <= MAXIMUM_INCARNATION:
            expected = f"1 to {MAXIMUM_INCARNATION} characters"
            yield WrongField("incarnation", self.incarnation[:MAXIMUM_TEXT], expected)
        for name in ("host", "address", "version"):
            text = getattr(self, name)
            if len(text) > MAXIMUM_TEXT:
                yield WrongField(name, text, f"at most {MAXIMUM_TEXT} characters")
        if not 0 <= self.pid <= LARGEST_NUMBER:
            yield WrongField("pid", str(self.pid), "a process id, from 0 on")
        if len(self.classes) > MAXIMUM_CLASSES:
            count = str(len(self.classes))
            yield WrongField("classes", count, f"at most {MAXIMUM_CLASSES} of them")
        for position, (name, digest) in enumerate(self.classes.items()):
            if not 0 < len(name) <= MAXIMUM_TEXT:
                expected = f"a class of 1 to {MAXIMUM_TEXT} characters"
                yield WrongField(f"classes[{position}].implementation", name, expected)
            if digest and not SHA256.match(digest):
                expected = "a SHA-256 as 64 hexadecimal digits in lower case, or empty"
                yield WrongField(f"classes[{position}].dataset_hash", digest, expected)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A control unit that a unit server hosts, as it is told.

    Attributes:
        configuration: None: the process holds it already, or cannot build the unit.
        fingerprint: of what it shall use; empty with a problem.
        problem: why it cannot be built here; None: it can.
        implementation: class that builds it, also where the configuration is left out.
        former_id: by which the process knows the unit; empty: by the one that it has.
        in_maintenance: it leaves the unit as it is, whatever else is told.
    """

    unit: ControlUnit
    configuration: Configuration | None = None
    fingerprint: str = ""
    problem: Refused | None = None
    implementation: str = ""
    former_id: str = ""
    in_maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """What a unit server is told when it has registered.

    Attributes:
        assignments: sorted by id of the unit.
        missing_datasets: hashes of what its classes publish and the store lacks.
        position: what is told is at least as new as this.
    """

    session: Session
    assignments: tuple[Assignment, ...]
    missing_datasets: tuple[str, ...]
    position: Position


def class_not_hosted(unit: ControlUnit, implementation: str, offered: tuple[str, ...]) -> Refused:
    """A unit whose class its unit server does not build."""
    classes = ", ".join(sorted(offered)) or "none"
    return Refused.precondition(
        "CLASS_NOT_HOSTED",
        f"This process does not build class {implementation!r} of {unit.name}; it builds: "
        f"{classes[:MAXIMUM_TEXT]}.",
        control_unit=unit.name,
        implementation=implementation,
    )


def contradicting(
    id: str, template: Template, digest: str, contradiction: Contradiction
) -> Refused:
    """A unit whose code publishes what its template rules out; id empty: of units at large."""
    fault = contradiction.fault
    more = f" There are {contradiction.count - 1} more." if contradiction.count > 1 else ""
    return Refused.precondition(
        "DATASET_CONTRADICTS_TEMPLATE",
        f"The published dataset contradicts template {template.id!r}, version "
        f"{template.version}: of attribute {contradiction.attribute!r}, {fault.message}{more}",
        control_unit=id and Kind.CONTROL_UNIT.name_of(id),
        dataset=digest,
        attribute=contradiction.attribute,
        field=fault.field,
        value=fault.value,
        expected=fault.expected,
    )


@dataclass(frozen=True, slots=True)
class Contradiction:
    """In what a dataset contradicts a template: the first fault, and all of their fields.

    Attributes:
        attribute: name of the attribute that the first fault is about.
        fields: of all faults, by the names of their attributes (`attributes[current].type`).
    """

    attribute: str
    fault: WrongField
    fields: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.fields)


def contradiction_of(dataset: Sequence[Attribute], template: Template) -> Contradiction | None:
    faults = dataset_contradictions(dataset, template)
    if not faults:
        return None
    found = [positioned(fault) for fault in faults]
    fields = tuple(f"attributes[{dataset[position].name}]{rest}" for position, rest in found)
    return Contradiction(dataset[found[0][0]].name, faults[0], fields)


def positioned(fault: WrongField) -> tuple[int, str]:
    """Where in a dataset the attribute of a fault stands, and the rest of the path."""
    position, _, rest = fault.field.removeprefix("attributes[").partition("]")
    return int(position), rest


def contradiction_condition(
    template: Template, contradiction: Contradiction, since_us: int
) -> Condition:
    """That the dataset which a unit's code publishes cannot be one of its template."""
    fault = contradiction.fault
    more = f" There are {contradiction.count - 1} more." if contradiction.count > 1 else ""
    return Condition(
        type=DATASET_CONTRADICTS_TEMPLATE,
        reason="Contradiction",
        message=f"The dataset that its code publishes contradicts template {template.id!r}, "
        f"version {template.version}: {contradiction.fields[0]} is {shown(fault.value)}; right "
        f"would be {fault.expected}.{more}",
        since_us=since_us,
        fields=contradiction.fields[:MOST_FIELDS],
    )
