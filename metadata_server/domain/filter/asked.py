"""What is asked of a list: which of its things, in which order, and whether that can be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from metadata_server.domain.filter.expression import (
    EVERYTHING,
    All,
    Expression,
    Instant,
    Term,
    named_by,
    terms_of,
)
from metadata_server.domain.filter.faults import FilterFault, nearest, one_of
from metadata_server.domain.filter.key import Facts, FilterKey, Operator, ValueKind
from metadata_server.domain.filter.matching import matches
from metadata_server.domain.filter.parser import parse_filter
from metadata_server.domain.filter.subject import UnitSubject
from metadata_server.domain.filter.vocabulary import VOCABULARIES
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.state import State
from metadata_server.domain.page import Selection, SortValue
from metadata_server.domain.refused import RefusalKind, Refused, WrongField


@dataclass(frozen=True, slots=True)
class Sorting:
    """An order; things that are alike in it come by their identity, in the same direction."""

    key: FilterKey
    descends: bool = False
    identity: str = "id"

    def takes(self, value: object) -> bool:
        """Whether a thing can have a value, or none, of what it is sorted by."""
        if value is None:
            return True
        if self.key.kind in {ValueKind.NUMBER, ValueKind.TIME} or self.key.ranks:
            return type(value) is int
        is_text = self.key.kind is ValueKind.TEXT and not self.key.is_reference
        return isinstance(value, str) and (is_text or value.isascii())

    def value_of(self, subject: Any) -> SortValue:
        """What a thing is sorted by; of an id nothing, which it is sorted by anyway."""
        if self.key.name == self.identity:
            return None
        facts: Facts = self.key.of(subject)
        found = next(iter(facts), None)
        if self.key.ranks:
            return self.key.ranks.index(str(found)) + 1
        if self.key.kind is ValueKind.PLACE:  # whose first group is the zone
            return None if found is None else str(found).partition("/")[0]
        return found if found is None or isinstance(found, int) else str(found) or None


def rank(value: SortValue) -> tuple[bool, Any]:
    """Values in their order; None comes first, and an empty text, as older tokens have it, is
    none."""
    is_there = value is not None and value != ""
    return is_there, value if is_there else 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter and an order, of a kind that `word` names."""

    word: str
    expression: Expression
    sorting: Sorting

    @property
    def is_plain(self) -> bool:
        """Whether all is wanted, by id."""
        return (
            self.expression == All() and self.sorting.key.name == "id" and not self.sorting.descends
        )

    @property
    def is_of_names(self) -> bool:
        """Whether only things that are named one by one are wanted, by id."""
        is_named = isinstance(self.expression, Term) and bool(named_by(self.expression, "id"))
        return is_named and self.sorting.key.name == "id" and not self.sorting.descends

    @property
    def names(self) -> frozenset[str]:
        """Of all keys that it needs."""
        return frozenset({self.sorting.key.name, *(t.key.name for t in terms_of(self.expression))})


def asked_of(selection: Selection) -> Asked:
    """What a selection asks for besides its other fields, of which those that name its things, and
    those that only statuses know, are added to its filter.

    Raises:
        Refused: INVALID_FILTER, also for what history does not tell; INVALID_FIELD.
    """
    word = selection.kind.value
    expression = parse_filter(selection.filter, word)
    sorting = sorting_of(selection.order_by, word)
    if selection.as_of:
        check_past(expression, sorting, selection)
    keys = VOCABULARIES[word].keys
    parts = [] if expression == EVERYTHING else [expression]
    if selection.ids:
        parts.append(Term(keys["id"], Operator.IS, selection.ids))
    if selection.state is not State.UNSPECIFIED:
        parts.append(Term(keys["state"], Operator.IS, (str(selection.state),)))
    if selection.condition:
        parts.append(Term(keys["condition"], Operator.IS, (selection.condition,)))
    if selection.mark:
        parts.append(Term(keys["mark"], Operator.IS, (selection.mark,)))
    return Asked(word, parts[0] if len(parts) == 1 else All(tuple(parts)), sorting)


def sorting_of(order_by: str, word: str) -> Sorting:
    """Raises: Refused: INVALID_FIELD."""
    vocabulary = VOCABULARIES[word]
    name, _, direction = (order_by.strip() or vocabulary.order).partition(" ")
    key = vocabulary.keys.get(name)
    if key is not None and key.is_sortable and direction.strip() in {"", "asc", "desc"}:
        return Sorting(key, direction.strip() == "desc", vocabulary.identity)
    known = vocabulary.names(lambda each: each.is_sortable)
    meant = nearest(name, known)
    expected = f"{one_of(known)}, and ' desc' for the opposite order"
    expected += f"; perhaps {meant}" if meant and meant != name else ""
    raise Refused.wrong_fields([WrongField("order_by", order_by, expected)])


def check_past(expression: Expression, sorting: Sorting, selection: Selection) -> None:
    """Passes where history tells all that is asked for.

    Raises:
        Refused: INVALID_FILTER.
    """
    refuse_unknown(
        expression,
        lambda term: term.key.is_past and not set(term.key.present_words) & set(term.wanted),
        VOCABULARIES[selection.kind.value].names(lambda key: key.is_past),
        f"as of {selection.as_of} it is not known",
    )
    if not sorting.key.is_past:
        expected = "a key that lists of the past know"
        raise Refused.wrong_fields([WrongField("order_by", selection.order_by, expected)])


def check_watched(expression: Expression, word: str) -> None:
    """Passes where images of one kind tell all that is asked for.

    Raises:
        Refused: INVALID_FILTER.
    """
    refuse_unknown(
        expression,
        lambda term: (
            term.key.is_watched
            and not set(term.key.present_words) & set(term.wanted)
            and not any(isinstance(each, Instant) and each.is_age for each in term.wanted)
        ),
        VOCABULARIES[word].names(lambda key: key.is_watched),
        "a watch is not told when it changes",
    )


def refuse_unknown(
    expression: Expression,
    knows: Callable[[Term], bool],
    known: list[str],
    why: str,
    *,
    field: str = "filter",
) -> None:
    """Passes where all that is asked for is known.

    Raises:
        Refused: INVALID_FILTER.
    """
    for term in terms_of(expression):
        if knows(term):
            continue
        words = set(term.key.present_words) & set(term.wanted)
        what = f"{term.key.name}={','.join(sorted(map(str, words)))}" if words else term.key.name
        expected = one_of(known) if not words else f"another {term.key.name}"
        told = f"{field}, column {term.column}: {what} cannot be asked for here, because {why}; right would be {expected}."
        raise Refused(
            RefusalKind.INVALID,
            "INVALID_FILTER",
            told,
            fields=[FilterFault(field, what, expected, "INVALID_FILTER", told)],
            metadata={
                "field": field,
                "column": str(term.column),
                "text": what,
                "expected": expected,
            },
        )


def still_passes(text: str, unit: ControlUnit) -> bool:
    """Whether a unit that was selected by a filter passes it by now, as far as its declaration
    alone tells: a time that goes by, and what it reports, take nothing back."""
    expression = parse_filter(text, unit.kind)
    alone = all(
        term.key.is_watched and term.key.kind is not ValueKind.TIME for term in terms_of(expression)
    )
    return not alone or matches(expression, UnitSubject(declared=unit), 0)
