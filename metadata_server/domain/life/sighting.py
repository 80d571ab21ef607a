"""Unit servers that nobody declared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sighting:
    """What an undeclared unit server said of itself, when, and how often.

    Attributes:
        unit_server: id, as it named itself.
    """

    unit_server: str
    host: str
    address: str
    pid: int
    classes: tuple[str, ...]
    first_time_us: int = 0
    last_time_us: int = 0
    count: int = 0
