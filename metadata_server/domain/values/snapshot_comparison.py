"""What differs between the values of a snapshot and others: those of another one, or what is
intended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from metadata_server.domain.intent.attribute import Attribute, Direction
from metadata_server.domain.intent.facility import SavedUnit, SavedValue
from metadata_server.domain.values.saved_values import deviation
from metadata_server.domain.values.tolerance import Tolerance


class Outcome(StrEnum):
    """How the two sides of one value compare."""

    EQUAL = "EQUAL"
    DIFFERENT = "DIFFERENT"
    MISSING = "MISSING"
    MISSING_FROM_OTHER = "MISSING_FROM_OTHER"


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """A value that is not the same on both sides.

    Attributes:
        value: in the snapshot; None: it has none there.
        other_value: on the other side; None: it has none there.
        deviation: largest distance between two numbers in them; None: they differ otherwise.
        elements: how many differ; 0 where one side has none.
    """

    control_unit: str
    attribute: str
    value: str | None = None
    other_value: str | None = None
    deviation: Decimal | None = None
    elements: int = 0


@dataclass(frozen=True, slots=True)
class SnapshotComparison:
    """What is not equal, by unit, then by attribute; and how many values had each outcome."""

    differences: Sequence[ValueDifference]
    counts: Counter[Outcome]


def compared(
    units: Iterable[SavedUnit], others: Iterable[SavedUnit], tolerance: Tolerance
) -> SnapshotComparison:
    """Compares each value with its namesake."""
    left = {unit.control_unit: unit for unit in units}
    right = {unit.control_unit: unit for unit in others}
    counts: Counter[Outcome] = Counter()
    differences = []
    for id in sorted(left.keys() | right.keys()):
        for outcome, difference in unit_outcomes(id, left.get(id), right.get(id), tolerance):
            counts[outcome] += 1
            if difference is not None:
                differences.append(difference)
    return SnapshotComparison(differences, counts)


def unit_outcomes(
    id: str, unit: SavedUnit | None, other: SavedUnit | None, tolerance: Tolerance
) -> Iterator[tuple[Outcome, ValueDifference | None]]:
    """The outcome of each value of a unit, and the difference unless it is equal."""
    left = {each.attribute: each for each in unit.values} if unit else {}
    right = {each.attribute: each for each in other.values} if other else {}
    for attribute in sorted(left.keys() | right.keys()):
        one, two = left.get(attribute), right.get(attribute)
        if two is None:
            assert one is not None
            yield Outcome.MISSING_FROM_OTHER, ValueDifference(id, attribute, one.value)
        elif one is None:
            yield Outcome.MISSING, ValueDifference(id, attribute, None, two.value)
        elif (found := deviation(one, two, tolerance)) is None:
            yield Outcome.EQUAL, None
        else:
            yield (
                Outcome.DIFFERENT,
                ValueDifference(id, attribute, one.value, two.value, found.largest, found.elements),
            )


def intended(control_unit: str, attributes: Iterable[Attribute]) -> SavedUnit:
    """What a unit shall have: the defaults of what is no output."""
    return SavedUnit(
        control_unit,
        tuple(
            SavedValue(each.name, each.type, each.facets["default_value"])
            for each in attributes
            if each.direction is not Direction.OUTPUT and "default_value" in each.facets
        ),
    )
