"""What can be asked for in a filter: keys, and the kinds of value that they have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

Fact: TypeAlias = str | int | float | bool
Facts: TypeAlias = Iterable[Fact] | Mapping[str, str]
"""What holds of a subject: any number of values, or texts by name."""


class ValueKind(StrEnum):
    """What values of a key are, and with that, how they can be asked for."""

    TEXT = "TEXT"
    """`=` is exact, `:` contains, or matches where it has a `*`."""
    WORD = "WORD"
    """One of some words."""
    PLACE = "PLACE"
    """The groups of an id; `=` holds of all that lies in one."""
    NUMBER = "NUMBER"
    TIME = "TIME"
    """Microseconds since 1970, UTC; asked for as a time, or as an age."""
    FLAG = "FLAG"
    """True or false; the key alone asks for what it is true of."""


class Operator(StrEnum):
    """How a value is compared."""

    IS = "="
    IS_NOT = "!="
    HAS = ":"
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


EQUALITY = (Operator.IS, Operator.IS_NOT)
ORDER = (Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST)
OPERATORS: Mapping[ValueKind, tuple[Operator, ...]] = {
    ValueKind.TEXT: (*EQUALITY, Operator.HAS),
    ValueKind.WORD: (*EQUALITY, Operator.HAS),
    ValueKind.PLACE: (*EQUALITY, Operator.HAS),
    ValueKind.NUMBER: (*EQUALITY, *ORDER),
    ValueKind.TIME: ORDER,
    ValueKind.FLAG: EQUALITY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterKey:
    """One thing that can be asked for.

    Attributes:
        name: as people write it.
        meaning: a phrase.
        words: that it can be; of a WORD.
        present_words: those of them that only the present knows.
        is_many: it has any number of values; `:` asks for one of them.
        has_names: its values have names, of which one is asked for by `label.section`.
        is_indexed: a page is found by it without looking at all the others.
        is_sortable: a list can be sorted by it.
        ranks: words in the order that lists sorted by it have; empty: that of their letters.
        is_reference: its values are ids of other resources.
        is_past: history tells it, so that a list as of a moment knows it.
        is_watched: an image of the resource itself tells it, so that a watch knows it.
        of: what holds of a subject, for who has it in memory.
    """

    name: str
    kind: ValueKind
    meaning: str
    example: str
    of: Callable[[Any], Facts] = field(compare=False, repr=False)
    words: tuple[str, ...] = ()
    present_words: tuple[str, ...] = ()
    is_many: bool = False
    has_names: bool = False
    is_indexed: bool = False
    is_sortable: bool = False
    ranks: tuple[str, ...] = ()
    is_reference: bool = False
    is_past: bool = True
    is_watched: bool = True

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.kind]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The keys of one kind of thing.

    Attributes:
        word: of the kind: `control_unit`.
        plural: as people say many of them: `control units`.
        identity: name of the key that a bare word is about; of lists in memory it also tells one
            from another.
        usual_order: of lists that are not by their identity: `begin desc`.
    """

    word: str
    plural: str
    keys: Mapping[str, FilterKey]
    identity: str = "id"
    usual_order: str = ""

    @property
    def order(self) -> str:
        return self.usual_order or self.identity

    def names(self, passing: Callable[[FilterKey], bool] = lambda _: True) -> list[str]:
        return [key.name for key in self.keys.values() if passing(key)]
