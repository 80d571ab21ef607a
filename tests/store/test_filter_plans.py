"""By which indexes filtered lists are found, as the databases themselves tell."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, text

from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.store.intent.dependencies import depending_units
from metadata_server.store.intent.lists import filtered_page
from metadata_server.store.intent.naming import naming
from metadata_server.store.orchestration.members import requiring
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store
from tests.store.filters import declare_all, report_some


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    chance = random.Random(3)
    with opened_store(database) as store:
        declare_all(store, chance, units=60)
        report_some(store, chance)
        yield store


def plans(store: Store, work: Callable[[UnitOfWork], object]) -> list[str]:
    """What the database says of the statements of a reading that have to do with units: the
    indexes that it can use (MariaDB, which reads small tables whole), or does use (SQLite)."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "control_unit" in statement and statement.startswith("SELECT"):
            asked.append((statement, parameters))

    engine = store.database.reading
    event.listen(engine, "before_cursor_execute", note)
    try:
        store.read_now(work)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if store.database.is_sqlite else "EXPLAIN"
    found = []
    with engine.connect() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).mappings()
            found += [str(row.get("detail") or row.get("possible_keys")) for row in rows]
        connection.execute(text("SELECT 1"))
    return found


@pytest.mark.parametrize(
    ("filter", "order", "index"),
    [
        ("template=Motor", "id", "control_unit_template_id"),
        ("unit_server=SIMPS_0", "changed", "control_unit_unit_server"),
        ("changed>2020-01-01", "id", "control_unit_update_time"),
        ("created>2020-01-01", "changed desc", "control_unit_create_time"),
        ("zone=DAFNE", "created", "control_unit_id"),
        ("zone=DAFNE", "state", "control_unit_id"),
        ("state=RUNNING", "id", "control_unit_status_state"),
        ("since<1h", "state", "control_unit_status_state_time"),
        ("contact=LOST", "id", "control_unit_status_unit_server"),
        ("", "unit_server", "control_unit_unit_server"),
        ("", "template desc", "control_unit_template"),
    ],
)
def test_indexed_keys_are_found_by_their_indexes(
    store: Store, filter: str, order: str, index: str
) -> None:
    selection = Selection(kind=Kind.CONTROL_UNIT, filter=filter, order_by=order)
    told = plans(store, lambda unit: filtered_page(unit, selection, size=10, token=""))
    names = {index, f"sqlite_autoindex_{index.removesuffix('_id')}"}
    assert any(name in plan for plan in told for name in names), told


def test_units_with_conditions_are_found_without_reading_all_units(store: Store) -> None:
    if not store.database.is_sqlite:
        pytest.skip("MariaDB reads small tables whole")
    for order in ("id", "holds_since desc"):
        selection = Selection(kind=Kind.CONTROL_UNIT, filter="condition:*", order_by=order)
        page = partial(filtered_page, selection=selection, size=10, token="")
        whole = [plan for plan in plans(store, page) if plan.startswith("SCAN control_unit")]
        assert not whole, order


def test_units_that_depend_on_others_are_found_without_reading_all_bodies(store: Store) -> None:
    for work in (
        depending_units,
        lambda unit: requiring(unit, []),
        lambda unit: naming(unit, "DAFNE/U1"),
    ):
        told = plans(store, work)
        assert any("control_unit_depends" in plan for plan in told), told
