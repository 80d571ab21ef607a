"""54,423 operations of three years with 200,000 steps about 10,000 units.

Their rows are made as the store makes them, and inserted many at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Table

from benchmarks.long_past import insert
from metadata_server.domain.life.state import State
from metadata_server.domain.orchestration.advance import StepState
from metadata_server.domain.orchestration.operation import (
    Minor,
    Operation,
    Order,
    Phase,
    StepCounts,
    counts_of,
    operation_id,
)
from metadata_server.domain.orchestration.operation_step import Step, StepMinor
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.store import schema
from metadata_server.store.orchestration import operation_steps, operations
from metadata_server.store.orchestration.operation_tables import operation as operation_table
from metadata_server.store.orchestration.operation_tables import operation_step
from metadata_server.store.store import Store

OPERATIONS, STEPS, LARGEST, UNITS = 54_423, 200_000, 10_000, 10_000
FIRST_KEY, UNIT_KEY = 1_000_000, 5_000_000
START_US = 1_700_000_000_000_000
APART_US = 1_740 * 1_000_000
"""Between two operations: three years for all of them."""
SECOND_US = 1_000_000
AUTHORS = [f"operator-{number:02}@control-room" for number in range(40)]
REASONS = ("start of the shift", "after the access", "beam time of BTF", "water alarm in hall 2")
VERBS = (Verb.START,) * 4 + (Verb.STOP,) * 3 + (Verb.RECOVER, Verb.INIT, Verb.EDIT)
ENDS = (
    *[(Phase.COMPLETED, Minor.DONE, StepState.COMPLETED, StepMinor.REACHED)] * 17,
    (Phase.ERROR, Minor.FAILED, StepState.ERROR, StepMinor.TIMED_OUT),
    (Phase.ABORTED, Minor.ABORTED, StepState.ABORTED, StepMinor.ABORTED),
    (Phase.ABORTED, Minor.SUPERSEDED, StepState.ABORTED, StepMinor.SUPERSEDED),
)
"""With the states of the last step of each; the others have come there."""
Rows = Iterator[tuple[Table, dict[str, Any]]]


def unit_id(number: int) -> str:
    return f"ZONE{number % 10}/GROUP{number // 10 % 100:02}/UNIT{number:05}"


def size_of(number: int, chance: random.Random) -> int:
    """How many steps an operation has: the last one many, most of the others a few."""
    if number == OPERATIONS - 1:
        return LARGEST
    rest = STEPS - LARGEST
    share = rest // (OPERATIONS - 1)
    return share + (chance.random() < rest / (OPERATIONS - 1) - share)


def rows() -> Rows:
    """All rows; the last operation is paused while a tenth of it is done."""
    chance = random.Random(1)
    for number in range(UNITS):
        yield schema.name, span("control_unit", unit_id(number), UNIT_KEY + number)
    for number in range(OPERATIONS):
        is_last = number == OPERATIONS - 1
        size = size_of(number, chance)
        steps = [
            step(place, place if is_last else chance.randrange(UNITS)) for place in range(size)
        ]
        settle = paused if is_last else ended
        operation, steps = settle(number, steps, chance)
        yield operation_table, operations.row_of(operation, None)
        yield schema.name, span("operation", operation.id, operation.key)
        for each in steps:
            yield operation_step, operation_steps.row_of(operation.key, each)


def span(kind: str, id: str, key: int) -> dict[str, Any]:
    """That something has had its id all the time."""
    return {"kind": kind, "id": id, "from_revision": 1, "to_revision": None, "key": key}


def step(position: int, unit: int) -> Step:
    return Step(
        position=position,
        unit_key=UNIT_KEY + unit,
        id=unit_id(unit),
        target=State.RUNNING,
        level=position * 10 // LARGEST,
        unit_server=f"HOLLOW_{unit % 625:04}",
        desired=State.STOPPED,
        found=State.STOPPED,
    )


def made(number: int, chance: random.Random, counts: StepCounts, **how: Any) -> Operation:
    create_us = START_US + number * APART_US + chance.randrange(APART_US)
    return Operation(
        id=operation_id(create_us, f"{number:06x}"),
        key=FIRST_KEY + number * 7_919 % OPERATIONS,
        order=Order(verb=chance.choice(VERBS)),
        author=chance.choice(AUTHORS),
        reason=f"{chance.choice(REASONS)}, {number % 977}",
        create_time_us=create_us,
        start_time_us=create_us + chance.randrange(SECOND_US),
        counts=counts,
        revision=number + 2,
        fence=1,
        **how,
    )


def ended(number: int, steps: list[Step], chance: random.Random) -> tuple[Operation, list[Step]]:
    """An operation that has ended, and its steps."""
    phase, minor_state, last_state, last_minor = chance.choice(ENDS)
    steps = [
        replace(each, state=StepState.COMPLETED, minor_state=StepMinor.REACHED) for each in steps
    ]
    steps[-1] = replace(steps[-1], state=last_state, minor_state=last_minor)
    counts = counts_of(each.state for each in steps)
    operation = made(
        number,
        chance,
        counts,
        phase=phase,
        minor_state=minor_state,
        message=f"{counts.completed} of {counts.steps} are there.",
    )
    end_us = operation.start_time_us + chance.randrange(SECOND_US, 600 * SECOND_US)
    timed = [
        replace(each, start_time_us=operation.start_time_us, end_time_us=end_us) for each in steps
    ]
    known = replace(operation, end_time_us=end_us, update_time_us=end_us, sign_of_life_us=end_us)
    return known, timed


def paused(number: int, steps: list[Step], chance: random.Random) -> tuple[Operation, list[Step]]:
    """An operation that is paused, and its steps, of which a tenth have ended."""
    done = len(steps) // 10
    steps = [
        replace(each, state=StepState.COMPLETED, minor_state=StepMinor.REACHED)
        if each.position < done
        else each
        for each in steps
    ]
    counts = counts_of(each.state for each in steps)
    operation = made(number, chance, counts, phase=Phase.SUSPENDED, minor_state=Minor.PAUSED)
    return operation, steps


def live_through(store: Store) -> None:
    """Fills a store with them."""
    with store.database.writing.connect() as connection:
        insert(connection, rows())
        value = {"value": OPERATIONS + 2, "time_us": START_US + OPERATIONS * APART_US}
        connection.execute(schema.revision.update().values(value))
        connection.commit()
