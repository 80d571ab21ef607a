"""Lists of 54,423 operations: any page of 25, by any column, with any filter; and steps."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from sqlalchemy import select

from benchmarks.many_operations import (
    APART_US,
    AUTHORS,
    FIRST_KEY,
    LARGEST,
    OPERATIONS,
    START_US,
    STEPS,
    live_through,
    unit_id,
)
from benchmarks.stage import Stage
from benchmarks.table import print_table
from metadata_server.domain.filter.asked_list import AskedList, ListPlace
from metadata_server.domain.filter.vocabulary import OPERATION_STEP
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import Phase
from metadata_server.domain.orchestration.operation_list import SORTABLE, OperationSelection
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.place import place_token
from metadata_server.services.orchestration.step_waits import with_waits
from metadata_server.store.orchestration.operation_lists import (
    COLUMNS,
    OperationPage,
    operation_page,
)
from metadata_server.store.orchestration.operation_steps import step_page
from metadata_server.store.orchestration.operation_tables import operation as table
from metadata_server.store.orchestration.operations import operations_of
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

PAGE, TIMES, GOAL_MS = 25, 7, 200
ALL = OperationSelection()
HALFWAY_US = START_US + OPERATIONS // 2 * APART_US
LAST_KEY = FIRST_KEY + (OPERATIONS - 1) * 7_919 % OPERATIONS
FILTERS: Mapping[str, OperationSelection] = {
    "all": ALL,
    "phase ERROR": replace(ALL, phases=(Phase.ERROR,)),
    "phase COMPLETED": replace(ALL, phases=(Phase.COMPLETED,)),
    "phase EXECUTING or QUEUED, none": replace(ALL, phases=(Phase.EXECUTING, Phase.QUEUED)),
    "verb RECOVER": replace(ALL, verbs=(Verb.RECOVER,)),
    "author": replace(ALL, author=AUTHORS[7]),
    "author that never was": replace(ALL, author="nobody"),
    "unit": replace(ALL, control_unit=unit_id(4_711)),
    "created in the last day": replace(ALL, since_us=START_US + (OPERATIONS - 50) * APART_US),
    "created in the first half": replace(ALL, until_us=HALFWAY_US),
    "text in every fourth": replace(ALL, text="Water Alarm"),
    "text nowhere": replace(ALL, text="earthquake"),
    "verb, author, text, half": replace(
        ALL, verbs=(Verb.STOP,), author=AUTHORS[7], text="water", until_us=HALFWAY_US
    ),
}
Times = list[float]
"""Median and maximum, ms."""


async def operation_list(stage: Stage) -> None:
    """Prints the times on SQLite and MariaDB."""
    measure("SQLite", f"sqlite:///{stage.folder / 'operation_list.db'}")
    name = stage.mariadb.create_database()
    measure("MariaDB", stage.mariadb.url(name))
    stage.mariadb.drop_database(name)


def measure(database: str, url: str) -> None:
    with opened_store(url) as store:
        began = time.perf_counter()
        live_through(store)
        filled_s = time.perf_counter() - began
        sorted_by = [sorting(store, field) for field in SORTABLE]
        filtered = [filtering(store, name, selection) for name, selection in FILTERS.items()]
        steps = [
            ["first", *timed(store, steps_page)],
            ["deep", *timed(store, lambda unit: steps_page(unit, after=LARGEST * 9 // 10))],
            ["those of one state", *timed(store, lambda unit: steps_page(unit, in_error=True))],
            ["what all of a page wait for", *timed(store, waits)],
        ]
    goal = f"median and maximum of {TIMES}, ms; goal: < {GOAL_MS}"
    print_table(
        f"A page of {PAGE} of {OPERATIONS:,} operations with {STEPS:,} steps on {database} "
        f"(filled in {filled_s:.0f} s), {goal}",
        ["sorted by", "first", "max", "halfway", "max", "descending", "max", "halfway", "max"],
        sorted_by,
    )
    print_table(
        f"… filtered, on {database}; {goal}",
        ["filter", "how many", "newest", "max", "by failed desc", "max", "by author", "max"],
        filtered,
    )
    print_table(
        f"A page of 100 of {LARGEST:,} steps of one operation, on {database}; {goal}",
        ["", "median", "max"],
        steps,
    )


def sorting(store: Store, field: str) -> list[object]:
    found: list[object] = [field]
    for direction in ("", " desc"):
        selection = replace(ALL, order_by=field + direction)
        token = store.read_now(partial(token_halfway, selection=selection)).value
        for each in ("", token):
            found += timed(store, page_of(selection, each))
    return found


def filtering(store: Store, name: str, selection: OperationSelection) -> list[object]:
    total = store.read_now(page_of(selection)).value.total
    found: list[object] = [name, total]
    for order_by in ("", "failed desc", "author"):
        found += timed(store, page_of(replace(selection, order_by=order_by)))
    return found


def page_of(
    selection: OperationSelection, token: str = ""
) -> Callable[[UnitOfWork], OperationPage]:
    return lambda unit: operation_page(unit, selection, size=PAGE, token=token)


def token_halfway(unit: UnitOfWork, selection: OperationSelection) -> str:
    """The token of a page in the middle of the list."""
    field, descends = selection.sorting()
    column = COLUMNS[field] if field in COLUMNS else table.c[field]
    order = (column.desc(), table.c.key.desc()) if descends else (column, table.c.key)
    query = select(column, table.c.key).order_by(*order).offset(OPERATIONS // 2).limit(1)
    return place_token(selection.digest, list(unit.connection.execute(query).one()))


def steps_page(unit: UnitOfWork, *, after: int = 0, in_error: bool = False) -> object:
    asked = AskedList(word=OPERATION_STEP)
    if after:
        place = ListPlace(unit.now_us, after, (after,))
        asked = replace(asked, token=asked.token_after(place))
    states = [StepState.ERROR] if in_error else []
    return step_page(unit, LAST_KEY, asked, states=states, changed_after=0)


def waits(unit: UnitOfWork) -> object:
    """As the operation were under way: of a paused one all steps wait for the same."""
    operation = operations_of(unit, [LAST_KEY])[LAST_KEY]
    running = replace(operation, phase=Phase.EXECUTING)
    asked = AskedList(word=OPERATION_STEP)
    page = step_page(unit, LAST_KEY, asked, states=[StepState.PENDING], changed_after=0)
    return with_waits(unit, running, page.items)


def timed(store: Store, work: Callable[[UnitOfWork], object]) -> Times:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        store.read_now(work)
        taken.append((time.perf_counter() - began) * 1000)
    return [statistics.median(taken), max(taken)]
