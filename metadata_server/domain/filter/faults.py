"""What is wrong with a filter, and where."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from metadata_server.domain.refused import RefusalKind, Refused, WrongField, shown

AROUND = 12
"""Characters of a filter that are told on either side of what is wrong."""
MOST_NAMED = 30


def invalid_filter(
    text: str, place: int, problem: str, *, expected: str, suggestion: str = "", field: str
) -> Refused:
    """INVALID_FILTER.

    Args:
        place: of the first wrong character, from 0.
        problem: a sentence without its end.
        suggestion: what was perhaps meant.
    """
    meant = f'; did you mean "{suggestion}"?' if suggestion else f"; right would be {expected}."
    told = f"{field}, column {place + 1}: {problem}{meant}"
    metadata = {
        "field": field,
        "column": str(place + 1),
        "text": around(text, place),
        "expected": expected,
    }
    if suggestion:
        metadata["suggestion"] = suggestion
    return Refused(
        RefusalKind.INVALID,
        "INVALID_FILTER",
        told,
        fields=[FilterFault(field, text, expected, "INVALID_FILTER", told)],
        metadata=metadata,
    )


class FilterFault(WrongField):
    """A filter that is wrong; `subject` is all there is to say."""

    @property
    def message(self) -> str:
        return self.subject


def around(text: str, place: int) -> str:
    """A piece of a filter with what is wrong in its middle."""
    start, end = max(0, place - AROUND), min(len(text), place + AROUND)
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like one; empty: none is."""
    by_case = {each.casefold(): each for each in known}
    found = get_close_matches(word.casefold(), by_case, n=1, cutoff=0.6)
    return by_case[found[0]] if found else ""


def one_of(known: Iterable[str]) -> str:
    names = list(known)
    rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"one of {', '.join(names[:MOST_NAMED])}{rest}"


def quoted(value: str) -> str:
    """As it may stand in a message."""
    return f'"{value}"' if len(value) <= AROUND * 3 else shown(value, limit=AROUND * 3)
