"""Spans of names: from which revision on a key had an id, and what it referred to meanwhile.

A control unit's span ends when its id or either of its references changes, so that a list of
the past is found by them; other kinds' spans end when the id changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from metadata_server.store.keys import batches
from metadata_server.store.kinds import Layout
from metadata_server.store.schema import name
from metadata_server.store.upsert import insert_rows

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


def open_spans(
    connection: Connection, layout: Layout, rows: Iterable[Mapping[str, Any]], revision: int
) -> None:
    """Begins the spans that rows are in from a revision on."""
    insert_rows(
        connection,
        name,
        [
            {
                "kind": layout.kind.value,
                "id": row["id"],
                "from_revision": revision,
                "to_revision": None,
                "key": row["key"],
                "template_key": row["template_key"] if layout.spans else None,
                "unit_server_key": row["unit_server_key"] if layout.spans else None,
            }
            for row in rows
        ],
    )


def close_spans(connection: Connection, keys: Iterable[int], revision: int) -> None:
    """Ends the spans that keys are in: a revision is the first that is not in them."""
    for some in batches(sorted(keys)):
        connection.execute(
            name.update()
            .where(name.c.key.in_(some), name.c.to_revision.is_(None))
            .values(to_revision=revision)
        )
