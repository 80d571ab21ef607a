"""From the first schema to the second: names of units learn what the units referred to."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from metadata_server.store.database import Database
from metadata_server.store.migration import migrate
from tests.store.first_schema import insert, on_first_schema

UNIT, GONE, AGENT = 11, 12, 13
IMAGES = [
    (1, AGENT, "agent", "CREATED", '{"id": "host"}'),
    (2, UNIT, "control_unit", "CREATED", '{"id": "A/1", "template_key": 1, "unit_server_key": 2}'),
    (3, GONE, "control_unit", "CREATED", '{"id": "A/2", "template_key": 1}'),
    (4, UNIT, "control_unit", "UPDATED", '{"id": "A/1", "template_key": 1, "unit_server_key": 2}'),
    (5, UNIT, "control_unit", "UPDATED", '{"id": "A/1", "template_key": 1, "unit_server_key": 3}'),
    (6, GONE, "control_unit", "DELETED", "{}"),
    (8, UNIT, "control_unit", "UPDATED", '{"id": "A/1", "template_key": 4}'),
]
NAMES = [
    ("agent", "host", 1, None, AGENT),
    ("control_unit", "A/1", 2, None, UNIT),
    ("control_unit", "A/2", 3, 6, GONE),
]


@pytest.fixture
def opened(empty_database: str) -> Iterator[Database]:
    """A database on the first schema, with a past; revision 7 was a report, trimmed since."""
    with on_first_schema(empty_database, fill) as opened:
        yield opened


def fill(connection: sa.Connection) -> None:
    for revision, key, kind, action, image in IMAGES:
        row = {"revision": revision, "ordinal": 0, "kind": kind, "key": key}
        insert(connection, "history", row | {"action": action, "image": image})
    for kind, id, since, until, key in NAMES:
        row = {"kind": kind, "id": id, "from_revision": since, "to_revision": until}
        insert(connection, "name", row | {"key": key})
    report = {"revision": 9, "ordinal": 0, "time_us": 9, "kind": "control_unit_status"}
    insert(connection, "status_history", report | {"key": UNIT, "session": "s", "image": "{}"})


def rows(opened: Database, query: str) -> list[tuple[Any, ...]]:
    with opened.reading.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_spans_are_made_from_what_units_were(opened: Database) -> None:
    assert migrate(opened)[0] == "0001"
    spans = rows(
        opened,
        "SELECT id, from_revision, to_revision, template_key, unit_server_key FROM name "
        "ORDER BY id, from_revision",
    )
    assert spans == [
        ("A/1", 2, 5, 1, 2),
        ("A/1", 5, 8, 1, 3),
        ("A/1", 8, None, 4, None),
        ("A/2", 3, 6, 1, None),
        ("host", 1, None, None, None),
    ]


def test_that_reports_were_trimmed_is_written_down(opened: Database) -> None:
    migrate(opened)
    found = rows(opened, "SELECT kind, revision FROM horizon ORDER BY kind")
    assert found == [("control_unit_status", 8), ("unit_server_status", 8)]


def test_a_past_without_a_gap_has_no_horizon(opened: Database) -> None:
    with opened.writing.connect() as connection:
        insert(
            connection,
            "change_set",
            {
                "revision": 7,
                "time_us": 7,
                "author": "",
                "authenticated": False,
                "reason": "",
                "request_id": "",
                "method": "",
            },
        )
        connection.commit()
    migrate(opened)
    assert rows(opened, "SELECT kind FROM horizon") == []
