"""Whether two saved values are the same, whatever their spelling, and how far they are apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from typing import TypeGuard

from metadata_server.domain.intent.attribute import ValueType
from metadata_server.domain.intent.facility import SavedValue
from metadata_server.domain.intent.values import Fault, Value, number, parse
from metadata_server.domain.values.tolerance import Tolerance, distance

PRECEDENCE = {type_: place for place, type_ in enumerate(ValueType)} | {
    ValueType.UNSPECIFIED: len(ValueType)
}
"""Which type counts where two sides have different ones: the first that can read both."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """How two values differ.

    Attributes:
        largest: distance between two numbers in them; None: other things differ.
        elements: how many differ; 1 for scalars.
    """

    largest: Decimal | None
    elements: int


def deviation(one: SavedValue, other: SavedValue, tolerance: Tolerance) -> Deviation | None:
    """How two values differ; None: they are equal within the tolerance."""
    if one.value == other.value:
        return None
    largest, elements = None, 0
    for apart in differing_leaves(*readings(one, other), tolerance):
        elements += 1
        if apart is not None and (largest is None or apart > largest):
            largest = apart
    return Deviation(largest, elements) if elements else None


def readings(one: SavedValue, other: SavedValue) -> tuple[Value, Value]:
    """Both values, read as one type."""
    for type_ in sorted({one.type, other.type, ValueType.UNSPECIFIED}, key=PRECEDENCE.__getitem__):
        first, second = reading(one.value, type_), reading(other.value, type_)
        if not isinstance(first, Fault) and not isinstance(second, Fault):
            return first, second
    return one.value, other.value


def reading(text: str, type_: ValueType) -> Value | Fault:
    """A text as a value; one of no type is a number, or a list of numbers, if it can be."""
    if type_ is not ValueType.UNSPECIFIED:
        return parse(text, type_, shape=None)
    found = number(text)
    if found is not None:
        return found
    values = parse(text, ValueType.DOUBLE, shape=None) if text[:1] == "[" else text
    return text if isinstance(values, Fault) else values


def differing_leaves(one: Value, other: Value, tolerance: Tolerance) -> Iterator[Decimal | None]:
    """For each element in which two values differ, how far they are apart there; None: they
    are no numbers, or only one side has it. Without recursion: JSON may be deep."""
    pairs = [(one, other)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, list) and isinstance(other, list):
            yield from repeat(None, abs(len(one) - len(other)))
            pairs.extend(zip(one, other, strict=False))
        elif isinstance(one, dict) and isinstance(other, dict):
            yield from repeat(None, len(one.keys() ^ other.keys()))
            pairs.extend((one[name], other[name]) for name in one.keys() & other.keys())
        elif is_number(one) and is_number(other):
            first, second = Decimal(one), Decimal(other)
            apart = distance(first, second)
            if not tolerance.allows(first, second, apart):
                yield apart
        elif type(one) is not type(other) or one != other:
            yield None


def is_number(value: Value) -> TypeGuard[int | Decimal]:
    """True and false are none, though Python counts with them."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
