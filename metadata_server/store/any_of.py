"""That one of many conditions holds, as any number of them may be asked in one statement."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Boolean, BooleanClauseList, ColumnElement, false, or_, type_coerce
from sqlalchemy.sql import operators

from metadata_server.store.keys import batches

MOST_TOGETHER = 100
"""So many conditions stand side by side."""


def any_of(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    """That one of some conditions holds; false, if there are none.

    SQLite takes `a OR b OR c` as `(a OR b) OR c`, one level for each, and refuses a thousand
    levels: so many are put together in groups, and groups of groups.
    """
    parts = [by_itself(each) for each in conditions]
    while len(parts) > MOST_TOGETHER:
        parts = [by_itself(or_(*some)) for some in batches(parts, MOST_TOGETHER)]
    return or_(false(), *parts)


def by_itself(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that stays one among others: of alternatives, SQLAlchemy would take away the
    parentheses."""
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.or_:
        return type_coerce(condition.self_group(against=operators.and_), Boolean)
    return condition
