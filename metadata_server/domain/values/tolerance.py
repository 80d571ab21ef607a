"""How far two numbers may be apart and still count as equal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

from metadata_server.domain.intent.attribute import ValueType
from metadata_server.domain.intent.values import Fault, scalar
from metadata_server.domain.refused import Refused, WrongField

EXACT = Context(prec=2_500, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Enough digits for the difference of any two doubles written out in full."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A distance, both ends included.

    Attributes:
        amount: not negative.
        is_relative: it is a part of the larger of the two numbers, by their size.
    """

    amount: Decimal = Decimal(0)
    is_relative: bool = False

    def allows(self, one: Decimal, other: Decimal, distance: Decimal) -> bool:
        """Whether two numbers that are so far apart count as equal."""
        if not self.is_relative:
            return distance <= self.amount
        larger = max(one.copy_abs(), other.copy_abs())
        return distance <= EXACT.multiply(self.amount, larger)


def tolerance_of(text: str) -> Tolerance:
    """What a caller wrote: `0.01`, `1%`; empty: none.

    Raises:
        Refused: INVALID_FIELD.
    """
    if not text:
        return Tolerance()
    is_relative = text.endswith("%")
    found = scalar(text.removesuffix("%").strip(), type=ValueType.DOUBLE)
    if isinstance(found, Fault) or not isinstance(found, Decimal) or found < 0:
        expected = "a number that is not negative, such as 0.01, or a percentage, such as 1%"
        raise Refused.wrong_fields([WrongField("tolerance", text, expected)])
    return Tolerance(found.scaleb(-2, EXACT) if is_relative else found, is_relative)


def distance(one: Decimal, other: Decimal) -> Decimal:
    """How far two numbers are apart, exactly."""
    return EXACT.subtract(one, other).copy_abs()
