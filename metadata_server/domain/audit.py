"""What is odd in a facility: findings of checks, and rules that need nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from metadata_server.domain.intent.attribute import Direction, ValueType
from metadata_server.domain.intent.configuration import Narrowing
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facets import Slot, facet_value
from metadata_server.domain.intent.values import Fault
from metadata_server.domain.refused import Refused, WrongField

DEFAULT_RESTARTS_A_DAY = 5


class Severity(StrEnum):
    """How much a finding matters: worth knowing, or worth mending."""

    NOTICE = "NOTICE"
    WARNING = "WARNING"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd.

    Attributes:
        name: of the resource, with its collection; empty: it is about more than one.
        message: what is odd, as a sentence.
        details: the same for programs.
    """

    severity: Severity
    name: str
    message: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What is audited.

    Attributes:
        id_prefix: only resources whose ids begin with this text.
        restarts_a_day: more lives of one unit in a day are odd.
    """

    id_prefix: str = ""
    restarts_a_day: int = DEFAULT_RESTARTS_A_DAY


@dataclass(frozen=True, slots=True)
class Redundancy:
    """Something that a unit says and that would hold anyway.

    Attributes:
        path: `overrides[current].maximum`.
        value: what the unit says.
        otherwise: what would hold without it, perhaps in another spelling.
    """

    path: str
    value: str
    otherwise: str


def redundancies(unit: ControlUnit, narrowing: Narrowing) -> Iterator[Redundancy]:
    """Overrides and parameters of a unit that are equal to what would hold without them. Numbers
    count by their value: `0x3C` is `60`."""
    for override in unit.overrides:
        position = narrowing.positions.get(override.attribute)
        if position is None:
            continue
        attribute = narrowing.shared.attributes[position]
        if attribute.direction is Direction.OUTPUT:
            continue
        slot = Slot(attribute.name, attribute.type, attribute.shape, attribute.maximum_size_bytes)
        for facet, text in override.facets.items():
            otherwise = attribute.facets.get(facet)
            if otherwise is not None and same_value(slot, facet, text, otherwise):
                yield Redundancy(f"overrides[{attribute.name}].{facet}", text, otherwise)
    types = {each.name: each.type for each in narrowing.template.parameters}
    for name, text in unit.parameters.items():
        otherwise = narrowing.shared.parameters.get(name)
        slot = Slot(name, types.get(name, ValueType.UNSPECIFIED))
        if otherwise is not None and same_value(slot, "default_value", text, otherwise):
            yield Redundancy(f"parameters[{name}]", text, otherwise)


def same_value(slot: Slot, facet: str, one: str, other: str) -> bool:
    if one == other:
        return True
    value = facet_value(slot, facet, one)
    return not isinstance(value, Fault) and value == facet_value(slot, facet, other)


def chosen(wanted: Collection[str], known: Collection[str]) -> list[str]:
    """The checks to run, sorted; none wanted: all.

    Raises:
        Refused: INVALID_FIELD, for each that is not there, with the one that may be meant.
    """
    faults = []
    for position, name in enumerate(wanted):
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"{near[0]!r}, perhaps" if near else f"one of {', '.join(sorted(known))}"
            faults.append(WrongField(f"checks[{position}]", name, hint))
    if faults:
        raise Refused.wrong_fields(faults)
    return sorted(set(wanted) or known)


def restarts_allowed(requested: int) -> int:
    """How many lives a day are not odd yet; 0: the default.

    Raises:
        Refused: INVALID_FIELD, when it is negative.
    """
    if requested < 0:
        expected = f"a number from 1 on, or 0 for {DEFAULT_RESTARTS_A_DAY}"
        raise Refused.wrong_fields([WrongField("restarts_a_day", str(requested), expected)])
    return requested or DEFAULT_RESTARTS_A_DAY
