"""Who waits for the database, and who goes first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rank(StrEnum):
    """Kinds of work in the order in which the database is given to them."""

    LIFE = "life"
    """Beats, ends of sessions, reports, and what a replica does by itself: never refused."""
    PEOPLE = "people"
    """What somebody changes, or looks up singly."""
    ARRIVALS = "arrivals"
    """Unit servers that come."""
    BULK = "bulk"
    """Lists, exports, the past."""


RANKS = tuple(Rank)


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom something is done.

    Attributes:
        name: those of one rank and name share one queue; queues are served in turns.
        is_patient: it waits as long as it takes, and is never refused: others depend on it,
            and something else bounds how many there are.
    """

    name: str
    rank: Rank
    is_patient: bool = False


ITSELF = Asker("", Rank.LIFE, is_patient=True)
"""The replica."""
