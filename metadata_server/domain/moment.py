"""Moments of the past, as people write them: a revision or a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from metadata_server.domain.refused import Refused, WrongField

EXPECTED = (
    "a revision like 120, or a time with its zone like 2026-11-15T03:12:00Z or "
    "2026-11-15T03:12:00+01:00"
)
LARGEST_REVISION = 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RESOLUTION = datetime.resolution
"""A microsecond."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Either is set.

    Attributes:
        time_us: by the database's clock, microseconds since 1970, UTC.
    """

    revision: int | None = None
    time_us: int | None = None


def moment_of(text: str, *, field: str = "as_of") -> Moment | None:
    """The moment that a text names; None, for now, when it is empty.

    Raises:
        Refused: INVALID_FIELD.
    """
    if not text:
        return None
    if text.isascii() and text.isdigit() and int(text) <= LARGEST_REVISION:
        return Moment(revision=int(text))
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return Moment(time_us=(time - EPOCH) // RESOLUTION)
    except (ValueError, OverflowError):
        pass
    raise Refused.wrong_fields([WrongField(field, text, EXPECTED)])
