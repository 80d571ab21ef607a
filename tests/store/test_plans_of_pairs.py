"""What is found by keys of several columns is sought, and no table is read whole for it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Table, event, text

from metadata_server.domain.names import Kind
from metadata_server.store import schema
from metadata_server.store.chores import trim_requests
from metadata_server.store.deliveries.webhook_deliveries import trim_deliveries
from metadata_server.store.deliveries.webhook_tables import webhook_course, webhook_delivery
from metadata_server.store.deliveries.webhooks import NO_PAST, keep_webhooks
from metadata_server.store.life.desires import publication_times
from metadata_server.store.past import past_statuses
from metadata_server.store.past.history import images_of
from metadata_server.store.past.retention import delete_places
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_rows
from tests.stages.opened_store import opened_store

ROWS = 4_000
KEYS = 40
READ_WHOLE = {"ALL", "index"}
"""As MariaDB calls it."""
Work = Callable[[UnitOfWork], object]


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with opened_store(database) as store:
        store.transact_now(fill)
        if not store.database.is_sqlite:
            with store.database.writing.connect() as connection:
                for table in (each.name for each, _ in ASKED):
                    connection.execute(text(f"ANALYZE TABLE {table}"))
        yield store


def fill(unit: UnitOfWork) -> None:
    """Many rows of each table."""
    said = {"kind": Kind.CONTROL_UNIT_STATUS.value, "session": "", "image": "{}"}
    kept = {"kind": Kind.VARIABLE.value, "action": "CREATED", "image": "{}"}
    asked = {"principal": "me", "method": "", "payload_hash": "", "revision": 1, "answer": ""}
    sent = dict.fromkeys([each.name for each in webhook_delivery.c], 0) | dict.fromkeys(
        ["id", "type", "state", "store_id", "error", "replica", "redelivery_of"], ""
    )
    name = {"kind": Kind.CONTROL_UNIT.value, "from_revision": 1, "to_revision": None}
    course = {"store_id": "", "epoch": 1, "revision": 1, "fence": 1, "number": 0, **NO_PAST}
    version = {"version_state": "PUBLISHED", "revision": 1, "body": "{}"}
    numbers = range(1, ROWS + 1)
    for table, rows in (
        (
            schema.status_history,
            [{**said, "revision": n, "ordinal": 0, "time_us": n, "key": n % KEYS} for n in numbers],
        ),
        (schema.history, [{**kept, "revision": n, "ordinal": 0, "key": n % KEYS} for n in numbers]),
        (schema.name, [{**name, "id": str(n), "key": n} for n in range(KEYS)]),
        (schema.request, [{**asked, "request_id": str(n), "time_us": n} for n in numbers]),
        (
            webhook_delivery,
            [{**sent, "webhook_key": n % KEYS, "number": n, "end_time_us": n} for n in numbers],
        ),
        (webhook_course, [{**course, "webhook_key": n} for n in numbers]),
        (
            schema.template_version,
            [{**version, "template_key": n % KEYS, "version": n} for n in numbers],
        ),
    ):
        insert_rows(unit.connection, table, rows)


def keep(unit: UnitOfWork) -> None:
    assert keep_webhooks(unit, dict.fromkeys(range(1, 301), 1), lease_us=1) == set(range(1, 301))


ASKED: list[tuple[Table, Work]] = [
    (
        schema.status_history,
        lambda unit: delete_places(unit, schema.status_history, [(n, 0) for n in range(1, 301)]),
    ),
    (schema.status_history, lambda unit: past_statuses.images_at(unit, range(KEYS), ROWS)),
    (schema.history, lambda unit: images_of(unit, [(n % KEYS, n) for n in range(1, 301)])),
    (schema.request, lambda unit: trim_requests(unit, 301)),
    (webhook_delivery, lambda unit: trim_deliveries(unit, 301)),
    (webhook_course, keep),
    (
        schema.template_version,
        lambda unit: publication_times(unit, [(n % KEYS, n) for n in range(1, 301)]),
    ),
]


def read_whole(store: Store, table: str, work: Work) -> list[str]:
    """How the database says that it reads a table from end to end, in the statements of a work."""
    statements = 0
    found: list[str] = []
    explain = "EXPLAIN QUERY PLAN" if store.database.is_sqlite else "EXPLAIN"

    def ask(_c: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        nonlocal statements
        if table not in statement:
            return
        statements += 1
        asking = cursor.connection.cursor()
        asking.execute(f"{explain} {statement}", parameters)
        names = [column[0] for column in asking.description]
        for row in asking.fetchall():
            told = dict(zip(names, row, strict=True))
            if store.database.is_sqlite:
                is_whole = told["detail"].split(" USING ")[0] == f"SCAN {table}"
            else:
                is_whole = told["table"] == table and told["type"] in READ_WHOLE
            if is_whole:
                found.append(f"{told}: {statement[:200]}")

    engine = store.database.writing
    event.listen(engine, "before_cursor_execute", ask)
    try:
        store.transact_now(work)
    finally:
        event.remove(engine, "before_cursor_execute", ask)
    assert statements
    return found


@pytest.mark.parametrize(("table", "work"), ASKED, ids=lambda each: getattr(each, "name", None))
def test_no_table_is_read_whole_for_some_of_its_rows(
    store: Store, table: Table, work: Work
) -> None:
    assert read_whole(store, table.name, work) == []
