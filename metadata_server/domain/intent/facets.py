"""What the facets of an attribute or a parameter must be, by its type and to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from metadata_server.domain.intent.attribute import ValueType
from metadata_server.domain.intent.values import (
    ORDERED,
    Fault,
    Value,
    number,
    numbers,
    parse,
    real,
    scalar,
)
from metadata_server.domain.refused import WrongField

BOUNDS = frozenset({"minimum", "maximum", "warning_minimum", "warning_maximum"})
DISTANCES = frozenset({"increment", "warning_threshold", "error_threshold"})
"""What is never negative."""

Span: TypeAlias = tuple[int | Decimal, int | Decimal]
"""Smallest and largest number of a value."""


@dataclass(frozen=True, slots=True)
class Order:
    """That one facet is at most another.

    Attributes:
        blamed: which of the two is wrong when they are not so: the first that is said here.
    """

    lower: str
    upper: str
    blamed: tuple[str, ...]
    reason: str = "INVALID_FIELD"


ORDERS = (
    Order("minimum", "maximum", ("minimum", "maximum")),
    Order("minimum", "default_value", ("default_value", "minimum"), "OVERRIDE_OUT_OF_RANGE"),
    Order("default_value", "maximum", ("default_value", "maximum"), "OVERRIDE_OUT_OF_RANGE"),
    Order("warning_minimum", "warning_maximum", ("warning_minimum", "warning_maximum")),
    Order("minimum", "warning_minimum", ("warning_minimum",)),
    Order("minimum", "warning_maximum", ("warning_maximum",)),
    Order("warning_minimum", "maximum", ("warning_minimum",)),
    Order("warning_maximum", "maximum", ("warning_maximum",)),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """What takes a value: an attribute or a parameter, as far as its values go.

    Attributes:
        shape: as that of an attribute.
        maximum_size_bytes: as that of an attribute.
    """

    name: str
    type: ValueType
    shape: tuple[int, ...] = ()
    maximum_size_bytes: int = 0


def facet_faults(
    slot: Slot, facets: Mapping[str, str], *, path: str, said: Mapping[str, str] | None = None
) -> Iterator[WrongField]:
    """All that is wrong with facets.

    Args:
        facets: that apply.
        path: of the field that holds them (`attributes[3]`).
        said: the part of them that this field says; None: all. What others said is not
            checked again, but only against this.
    """
    here = facets if said is None else said
    spans: dict[str, Span] = {}
    for name, text in facets.items():
        value = facet_value(slot, name, text)
        if not isinstance(value, Fault):
            span = span_of(value)
            if span is not None:
                spans[name] = span
        elif name in here:
            yield WrongField(f"{path}.{name}", text, value.expected, "INVALID_VALUE", slot.name)
    for blamed, expected, reason in disorders(spans, facets, here):
        yield WrongField(f"{path}.{blamed}", facets[blamed], expected, reason, slot.name)


def facet_value(slot: Slot, name: str, text: str) -> Value | Fault:
    """One facet as a value; numbers only where they are to be compared."""
    if name == "unit":
        return text
    if name == "default_value" and slot.type is not ValueType.UNSPECIFIED:
        return parse(text, slot.type, shape=slot.shape, maximum_size_bytes=slot.maximum_size_bytes)
    if slot.type is ValueType.UNSPECIFIED:
        found = number(text)
        return text if found is None else signed(name, found)
    if slot.type not in ORDERED:
        return Fault(f"absent, because a value of type {slot.type} has no {name}")
    if name in BOUNDS:
        return scalar(text, type=slot.type)
    value = real(text, single=False)
    return value if isinstance(value, Fault) else signed(name, value)


def signed(name: str, found: int | Decimal) -> Value | Fault:
    if name in DISTANCES and found < 0:
        return Fault("a number that is not negative")
    if name == "conversion_factor" and found == 0:
        return Fault("a number other than 0")
    return found


def span_of(value: Value) -> Span | None:
    """Smallest and largest number in a value; None: there is none."""
    found = list(numbers(value))
    return (min(found), max(found)) if found else None


def disorders(
    spans: Mapping[str, Span], facets: Mapping[str, str], said: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Facets that are to blame for being out of order, what would be right, and the reason."""
    for order in ORDERS:
        if order.lower not in spans or order.upper not in spans:
            continue
        if spans[order.lower][1] <= spans[order.upper][0]:
            continue
        blamed = next((name for name in order.blamed if name in said), None)
        if blamed is None:
            continue
        other, bound = (
            (order.upper, "at most") if blamed == order.lower else (order.lower, "at least")
        )
        yield blamed, f"{bound} {facets[other]}, the {other.replace('_', ' ')}", order.reason
