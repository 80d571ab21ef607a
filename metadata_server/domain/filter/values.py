"""The values of a term, as its key wants them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from metadata_server.domain.filter.expression import Instant, Pattern, Wanted
from metadata_server.domain.filter.faults import invalid_filter, nearest, one_of, quoted
from metadata_server.domain.filter.key import FilterKey, Operator, ValueKind
from metadata_server.domain.filter.scanner import Found, Piece
from metadata_server.domain.moment import EPOCH, RESOLUTION

AGE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)\Z", re.ASCII)
UNITS_US = {
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
LONGEST_WEEKS = 100_000
"""Of an age: since before all that is known, and no database counts microseconds for ever."""
INTEGER = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
REAL = re.compile(r"[+-]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][+-]?\d{1,3})?\Z", re.ASCII)
FLAGS = {"true": True, "false": False}
TIMES = (
    "a time like 2026-11-01 or 2026-11-01T08:30:00Z (UTC without a zone), or an age like 2h: "
    f"ms, s, m, h, d, w ({LONGEST_WEEKS}w at most)"
)


def wanted_of(
    key: FilterKey, operator: Operator, found: Found, text: str, field: str, *, is_named: bool
) -> tuple[Wanted, ...]:
    """What one value asks for; several words, where it is a pattern of words.

    Args:
        is_named: the value is that of one name.

    Raises:
        Refused: INVALID_FILTER.
    """
    value, has_gaps = found.text, found.piece is Piece.WORD and "*" in found.text
    match key.kind:
        case ValueKind.TEXT | ValueKind.PLACE:
            return (wanted_text(key, operator, value, has_gaps=has_gaps, is_named=is_named),)
        case ValueKind.WORD:
            if operator is Operator.HAS and has_gaps:
                pattern = Pattern.of(value)
                words = tuple(word for word in key.words if pattern.passes(word))
            else:
                words = (value,) if value in key.words else ()
            if words:
                return words
            expected, suggestion = one_of(key.words), nearest(value, key.words)
        case ValueKind.NUMBER:
            if INTEGER.match(value):
                return (int(value),)
            if REAL.match(value) and abs(float(value)) < float("inf"):
                return (float(value),)
            expected, suggestion = "a number", ""
        case ValueKind.TIME:
            if (instant := instant_of(value)) is not None:
                return (instant,)
            expected, suggestion = TIMES, ""
        case ValueKind.FLAG:
            if value in FLAGS:
                return (FLAGS[value],)
            expected, suggestion = "true or false", nearest(value, FLAGS)
    problem = f"{quoted(value)} is nothing that {key.name} can be"
    raise invalid_filter(
        text, found.start, problem, expected=expected, suggestion=suggestion, field=field
    )


def wanted_text(
    key: FilterKey, operator: Operator, value: str, *, has_gaps: bool, is_named: bool
) -> Wanted:
    if operator is not Operator.HAS:
        return value.rstrip("/") if key.kind is ValueKind.PLACE else value
    if key.kind is ValueKind.PLACE:
        group = value.rstrip("/")
        return Pattern.of(f"{group}/*") if has_gaps else Pattern(("", group, "/", ""))
    if has_gaps:
        return Pattern.of(value)
    return value if key.is_many and not is_named else Pattern.within(value)


def instant_of(value: str) -> Instant | None:
    """A time or an age; None: it is neither, or too long."""
    if age := AGE.match(value):
        us = int(float(age[1]) * UNITS_US[age[2]])
        return Instant(us, is_age=True) if us <= LONGEST_WEEKS * UNITS_US["w"] else None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    try:
        return Instant((time - EPOCH) // RESOLUTION)
    except OverflowError:
        return None
