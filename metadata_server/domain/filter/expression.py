"""What a filter says, once it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from metadata_server.domain.filter.key import FilterKey, Operator


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with gaps that any text fills.

    Attributes:
        pieces: around the gaps, in order; at least two, the first and the last may be empty.
    """

    pieces: tuple[str, ...]

    @classmethod
    def within(cls, text: str) -> Pattern:
        """Passed by what contains a text."""
        return cls(("", text, ""))

    @classmethod
    def of(cls, text: str) -> Pattern:
        """As people write it, with `*` for each gap."""
        return cls(tuple(text.split("*")))

    @property
    def beginning(self) -> str:
        return self.pieces[0]

    def passes(self, text: str) -> bool:
        first, *inner, last = self.pieces
        if len(text) < len(first) + len(last):
            return False
        if not (text.startswith(first) and text.endswith(last)):
            return False
        place, end = len(first), len(text) - len(last)
        for piece in inner:
            found = text.find(piece, place, end)
            if found < 0:
                return False
            place = found + len(piece)
        return True


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time.

    Attributes:
        us: since 1970, UTC; where it is an age: before now.
    """

    us: int
    is_age: bool = False

    def at(self, now_us: int) -> int:
        return now_us - self.us if self.is_age else self.us


Wanted: TypeAlias = str | Pattern | int | float | bool | Instant


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison, passed where any of the values passes. IS_NOT is written as a Not.

    Attributes:
        name: that is asked for, of a key whose values have names; empty: the names themselves.
        wanted: none: only that there is a value of this name.
        column: where it stands in what was written, from 1.
    """

    key: FilterKey
    operator: Operator
    wanted: tuple[Wanted, ...]
    name: str = ""
    column: int = 1


@dataclass(frozen=True, slots=True)
class All:
    """Passed where all parts pass; without parts, by everything."""

    parts: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Passed where one of the parts passes."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Passed where its part does not pass."""

    part: Expression


Expression: TypeAlias = Term | All | AnyOf | Not
EVERYTHING = All()


def terms_of(expression: Expression) -> Iterator[Term]:
    """All comparisons in an expression, in their order."""
    match expression:
        case Term():
            yield expression
        case Not(part):
            yield from terms_of(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from terms_of(part)


def named_by(expression: Expression, key: str) -> frozenset[str] | None:
    """The values of a key of which all that passes has one; None: any value may pass."""
    match expression:
        case Term() if expression.key.name == key and expression.operator is Operator.IS:
            texts = [each for each in expression.wanted if isinstance(each, str)]
            return frozenset(texts) if texts and len(texts) == len(expression.wanted) else None
        case All(parts):
            pinned = [named_by(part, key) for part in parts]
            told = [each for each in pinned if each is not None]
            return frozenset.intersection(*told) if told else None
        case AnyOf(parts):
            either = [named_by(part, key) for part in parts]
            told = [each for each in either if each is not None]
            return frozenset().union(*told) if told and len(told) == len(either) else None
    return None
