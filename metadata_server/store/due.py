"""When work that replicas share is due, by the database's clock, which may be set back."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, or_

LONGEST_LEASE_US = 60_000_000
"""Longer than any replica holds work without word, or leaves it alone."""


def is_due(
    due_us: Column[int], now_us: int | ColumnElement[int], *, longest_us: int = LONGEST_LEASE_US
) -> ColumnElement[bool]:
    """Whether its time has come, or lies further ahead than it is ever set: then it was written by
    a clock that was ahead, as of the node before a fail-over, and nobody can wait for it. Whoever
    holds the work all the same finds that its fence has moved.

    Args:
        longest_us: that this work is put off for.
    """
    return or_(due_us <= now_us, due_us > now_us + longest_us)
