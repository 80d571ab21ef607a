"""What happened, in its order: the history and the status history as one sequence of changes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, select

from metadata_server.domain.change import Change
from metadata_server.domain.names import Kind
from metadata_server.store.life.status_images import history_with_sessions
from metadata_server.store.past.change_rows import changes_of
from metadata_server.store.past.status_changes import OWNERS, Row
from metadata_server.store.schema import change_set, history, horizon, status_history
from metadata_server.store.unit_of_work import UnitOfWork

ALL_KINDS = frozenset(Kind)
STATUS_KINDS = frozenset({Kind.CONTROL_UNIT_STATUS, Kind.UNIT_SERVER_STATUS, Kind.OPERATION})
IMAGED_KINDS = STATUS_KINDS | {Kind.MAINTENANCE}
"""Kinds of which `status_history` tells something: of maintenances, that they begin and end."""


def changes_after(
    unit: UnitOfWork, revision: int, *, limit: int, kinds: Collection[Kind] = ALL_KINDS
) -> tuple[list[Change], int]:
    """Changes after a revision, in order, and the revision up to which they are all.

    Args:
        limit: about how many; a revision is never split, whatever it holds.
        kinds: what happened to others is passed over.
    """
    queries = queries_after(revision, kinds)
    pieces = [rows_of(unit, query.limit(limit + 1)) for _, query in queries]
    overfull = [rows for rows in pieces if len(rows) > limit]
    if not overfull:
        every = [row for rows in pieces for row in rows]
        return changes_of(unit, every, kinds), unit.position.revision
    first = min(rows[0]["revision"] for rows in pieces if rows)
    until = max(first, min(rows[-1]["revision"] for rows in overfull) - 1)
    if any(rows[-1]["revision"] == first for rows in overfull):
        # One revision fills a piece and perhaps more: it is read as a whole, and alone.
        pieces = [rows_of(unit, query.where(column == first)) for column, query in queries]
    whole = [row for rows in pieces for row in rows if row["revision"] <= until]
    return changes_of(unit, whole, kinds), until


def queries_after(revision: int, kinds: Collection[Kind]) -> list[tuple[Any, Select[Any]]]:
    """For each of the two histories that has such kinds: its column of revisions, and a
    selection of what came after one."""
    found: list[tuple[Any, Select[Any]]] = []
    declared, reported = declared_kinds(kinds), IMAGED_KINDS & set(kinds)
    columns = (change_set.c.time_us, change_set.c.author, change_set.c.reason)
    if declared:
        query = select(history, *columns).outerjoin(
            change_set, change_set.c.revision == history.c.revision
        )
        if declared != ALL_KINDS - STATUS_KINDS:
            query = query.where(history.c.kind.in_(sorted(declared)))
        found.append((history.c.revision, query))
    if reported:
        query = history_with_sessions()
        if reported != IMAGED_KINDS:
            query = query.where(status_history.c.kind.in_(sorted(reported)))
        found.append((status_history.c.revision, query))
    return [
        (column, query.where(column > revision).order_by(column, column.table.c.ordinal))
        for column, query in found
    ]


def declared_kinds(kinds: Collection[Kind]) -> set[Kind]:
    """The declared ones of some kinds, and those whose statuses are among them: a status comes,
    goes, and changes its name with what it is of."""
    owners = {OWNERS[kind] for kind in OWNERS.keys() & set(kinds)}
    return set(kinds) - STATUS_KINDS | owners


def rows_of(unit: UnitOfWork, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in unit.connection.execute(query).mappings().all()]


def kept_from(unit: UnitOfWork, kinds: Collection[Kind]) -> int:
    """The first revision after which everything that happened to some kinds is still kept."""
    told_by = declared_kinds(kinds) | set(kinds)
    query = select(func.max(horizon.c.revision)).where(horizon.c.kind.in_(sorted(told_by)))
    return unit.connection.scalar(query) or 0
