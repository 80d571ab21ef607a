"""Spans of names: from which revision on a key had an id, and what it referred to meanwhile.

A control unit's span ends when its id or either of its references changes, so that a list of
the past is found by them; other kinds' spans end when the id changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, literal_column, select
from sqlalchemy.engine import Connection

from metadata_server.domain.change import Action
from metadata_server.store.keys import batches
from metadata_server.store.kinds import Layout
from metadata_server.store.schema import history, name

Span = tuple[Any, ...]
"""An id, and the keys of what it is found by."""


def span_of(row: Mapping[str, Any], layout: Layout) -> Span:
    """The span that a row of a resource is in."""
    return (row["id"], *(row[column] for column in layout.spans))


def ended_spans(
    connection: Connection,
    layout: Layout,
    rows: Iterable[Mapping[str, Any]],
    held: Mapping[int, Span],
) -> list[Mapping[str, Any]]:
    """Those rows that are about to be written and end the span that their key is in.

    Args:
        held: the spans of rows that this transaction has locked; others are asked for.
    """
    rows = list(rows)
    before = dict(held)
    unknown = sorted(row["key"] for row in rows if row["key"] not in before)
    columns = [layout.table.c[column] for column in ("id", *layout.spans)]
    for keys in batches(unknown):
        query = select(layout.table.c.key, *columns).where(layout.table.c.key.in_(keys))
        before |= {key: tuple(span) for key, *span in connection.execute(query)}
    return [row for row in rows if span_of(row, layout) != before.get(row["key"])]


def open_spans(connection: Connection, layout: Layout, keys: Iterable[int], revision: int) -> None:
    """Begins the spans that keys are in from a revision on; their rows have been written."""
    for some in batches(sorted(keys)):
        _copy_spans(connection, layout, revision, layout.table.c.key.in_(some))


def open_first_spans(connection: Connection, layout: Layout, revision: int) -> None:
    """Begins the spans of everything that a revision has created, which its history names."""
    created = and_(
        history.c.key == layout.table.c.key,
        history.c.revision == revision,
        history.c.kind == layout.kind.value,
        history.c.action == Action.CREATED.value,
    )
    _copy_spans(connection, layout, revision, created)


def _copy_spans(
    connection: Connection, layout: Layout, revision: int, which: ColumnElement[bool]
) -> None:
    """The database copies the spans from the rows: so 10,000 of them are not sent to it twice."""
    table = layout.table
    spans: list[ColumnElement[Any]] = [table.c[column] for column in layout.spans]
    found_by = spans or [literal_column("NULL")] * 2
    rows = select(
        literal(layout.kind.value), literal(revision), table.c.id, table.c.key, *found_by
    ).where(which)
    columns = ("kind", "from_revision", "id", "key", "template_key", "unit_server_key")
    connection.execute(name.insert().from_select(columns, rows.order_by(table.c.id)))


def close_spans(connection: Connection, keys: Iterable[int], revision: int) -> None:
    """Ends the spans that keys are in: a revision is the first that is not in them."""
    for some in batches(sorted(keys)):
        connection.execute(
            name.update()
            .where(name.c.key.in_(some), name.c.to_revision.is_(None))
            .values(to_revision=revision)
        )
