"""Steps of operations in their table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, not_, select
from sqlalchemy.engine import RowMapping

from metadata_server.domain.filter.asked_list import AskedList, ListPage
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.orchestration.advance import ENDED, StepState
from metadata_server.domain.orchestration.operation_step import (
    Seen,
    Step,
    StepMinor,
    Verdict,
)
from metadata_server.store.codec import build, data_of, plain, text_of
from metadata_server.store.filter.record_sources import STEPS
from metadata_server.store.keys import batches
from metadata_server.store.life.recoveries import recovery_of
from metadata_server.store.orchestration.operation_tables import operation
from metadata_server.store.orchestration.operation_tables import operation_step as table
from metadata_server.store.schema import control_unit, control_unit_status, lease
from metadata_server.store.unit_of_work import LostRace, UnitOfWork
from metadata_server.store.upsert import insert_rows, upsert_rows

ROWS_A_STATEMENT = 1000
STORED_APART = {"position", "unit_key", "state", "minor_state", "message", "is_way_back"}
STORED_APART |= {"target", "generation", "recover_count", "attempts", "revision"}
STORED_APART |= {"start_time_us", "end_time_us", "deadline_us"}
"""Fields of a step that are columns; `id` is `control_unit`."""


def insert_steps(unit: UnitOfWork, operation_key: int, steps: Iterable[Step]) -> None:
    """Writes new steps. They have not changed yet: their revision is 0, so that thousands of them
    are written before this transaction claims its own, for which all other writers wait."""
    rows = [row_of(operation_key, each) for each in steps]
    for some in batches(rows, ROWS_A_STATEMENT):
        insert_rows(unit.connection, table, some)


def rewrite_plans(unit: UnitOfWork, operation_key: int, steps: Iterable[Step]) -> None:
    """Writes what was planned of steps, their operation being locked, of which none has begun.
    Nothing of it is told to others: their revisions stay."""
    rows = [row_of(operation_key, each) | {"revision": each.revision} for each in steps]
    for some in batches(rows, ROWS_A_STATEMENT):
        upsert_rows(unit.connection, table, some)


def row_of(operation_key: int, step: Step) -> dict[str, Any]:
    body = plain(step)
    for name in (*STORED_APART, "id"):
        body.pop(name, None)
    return {
        **{name: getattr(step, name) for name in STORED_APART},
        "operation_key": operation_key,
        "control_unit": step.id,
        "state": step.state.value,
        "minor_state": str(step.minor_state),
        "target": step.target.value,
        "revision": 0,
        "body": text_of(body),
    }


def step_from(row: RowMapping) -> Step:
    data = {name: row[name] for name in STORED_APART} | data_of(row["body"])
    return build(Step, data | {"id": row["control_unit"]})


def steps_of(
    unit: UnitOfWork,
    operation_key: int,
    *,
    states: Collection[StepState] = (),
) -> list[Step]:
    """Steps of an operation, by position.

    Args:
        states: only those; none: all.
    """
    query = select(table).where(table.c.operation_key == operation_key)
    if states:
        query = query.where(table.c.state.in_(sorted(states)))
    query = query.order_by(table.c.position)
    return [step_from(row) for row in unit.connection.execute(query).mappings()]


def step_page(
    unit: UnitOfWork,
    operation_key: int,
    asked: AskedList,
    *,
    states: Collection[StepState],
    changed_after: int,
) -> ListPage[Step]:
    """One page of the steps of an operation.

    Raises:
        Refused: INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
    """
    query = select(table).where(table.c.operation_key == operation_key)
    if states:
        query = query.where(table.c.state.in_(sorted(states)))
    if changed_after:
        query = query.where(table.c.revision > changed_after)
    page = STEPS.page(unit, query, asked)
    return ListPage([step_from(row) for row in page.items], page.next_page_token)


def end_steps(
    unit: UnitOfWork,
    operation_key: int,
    verdicts: Iterable[tuple[int, Verdict, int]],
    *,
    was: Collection[StepState],
) -> None:
    """Writes where steps stand, at this transaction's revision.

    Args:
        verdicts: position, verdict, and the deadline that the step has from now on.

    Raises:
        LostRace: a step is not in any of the states that it was in.
    """
    moment = unit.claim()
    alike: dict[tuple[Verdict, int], list[int]] = defaultdict(list)
    for position, verdict, deadline_us in verdicts:
        alike[verdict, deadline_us].append(position)
    for (verdict, deadline_us), positions in alike.items():
        ended = verdict.state in ENDED
        set_steps(
            unit,
            operation_key,
            positions,
            was=was,
            state=verdict.state.value,
            minor_state=verdict.minor_state.value,
            message=verdict.message,
            deadline_us=deadline_us,
            **({"end_time_us": moment.now_us} if ended else {}),
        )


def set_steps(
    unit: UnitOfWork,
    operation_key: int,
    positions: Iterable[int],
    *,
    was: Collection[StepState],
    **values: Any,
) -> None:
    """Sets columns of steps that are in certain states.

    Raises:
        LostRace: one is not.
    """
    revision = unit.claim().position.revision
    for some in batches(sorted(positions)):
        setting = table.update().where(
            table.c.operation_key == operation_key,
            table.c.position.in_(some),
            table.c.state.in_(sorted(was)),
        )
        if unit.connection.execute(setting.values(**values, revision=revision)).rowcount != len(
            some
        ):
            raise LostRace


def begin_steps(
    unit: UnitOfWork,
    operation_key: int,
    steps: Sequence[Step],
    *,
    was: Collection[StepState],
    ahead: tuple[int, int],
    deadline_us: int,
) -> list[Step]:
    """Writes that steps have begun, and what they must reach; as they are now.

    Args:
        steps: with the generation and the count of recoveries that they must reach.
        ahead: by how much those are ahead of the units' rows, which this transaction has locked
            and not yet written: so that one statement does for many.

    Raises:
        LostRace: one is not in any of the states that it was in.
    """
    unit_row = control_unit.c.key == table.c.unit_key
    generation = select(control_unit.c.generation + ahead[0]).where(unit_row)
    recover_count = select(control_unit.c.recover_count + ahead[1]).where(unit_row)
    set_steps(
        unit,
        operation_key,
        [each.position for each in steps],
        was=was,
        state=StepState.EXECUTING.value,
        minor_state=StepMinor.ON_THE_WAY.value,
        message="",
        generation=generation.scalar_subquery(),
        recover_count=recover_count.scalar_subquery(),
        attempts=table.c.attempts + 1,
        start_time_us=unit.now_us,
        deadline_us=deadline_us,
    )
    return [
        replace(
            each,
            state=StepState.EXECUTING,
            minor_state=StepMinor.ON_THE_WAY,
            message="",
            attempts=each.attempts + 1,
            start_time_us=unit.now_us,
            deadline_us=deadline_us,
            revision=unit.position.revision,
        )
        for each in steps
    ]


def seen_of(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, Seen]:
    """Units as they are now, by key; of one that is no longer declared nothing is known."""
    status, found = control_unit_status.c, {}
    columns = (
        control_unit.c.key,
        control_unit.c.id,
        control_unit.c.generation,
        control_unit.c.revision,
        control_unit.c.desired_state,
        control_unit.c.recover_count,
        status.state,
        status.message,
        status.reached_generation,
        status.reached_recover_count,
        status.revision.label("report_revision"),
        lease.c.contact,
        status.recovery,
    )
    wanted = sorted(set(keys))
    for some in batches(wanted):
        query = (
            select(*columns)
            .outerjoin(control_unit_status, status.key == control_unit.c.key)
            .outerjoin(lease, lease.c.session == status.session)
            .where(control_unit.c.key.in_(some))
        )
        for row in unit.connection.execute(query):
            found[row.key] = Seen(
                *row[:4],
                State(row.desired_state),
                row.recover_count,
                State(row.state or State.UNSPECIFIED),
                row.message or "",
                row.reached_generation or 0,
                row.reached_recover_count or 0,
                row.report_revision or 0,
                Contact(row.contact or Contact.NONE),
                recovery_of(row.recovery or "").is_first_to_come,
            )
    return {key: found.get(key) or Seen(key) for key in wanted}


def open_steps_of_units(unit: UnitOfWork, unit_keys: Iterable[int]) -> dict[int, dict[int, int]]:
    """Of some units the steps that have not ended, by key of their operation: the key of the unit
    by position."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    open_ = [StepState.EXECUTING.value, StepState.PENDING.value]
    columns = (table.c.operation_key, table.c.position, table.c.unit_key)
    for some in batches(sorted(set(unit_keys))):
        query = select(*columns).where(table.c.unit_key.in_(some), table.c.state.in_(open_))
        for key, position, unit_key in unit.connection.execute(query):
            found[key][position] = unit_key
    return found


def steps_beside(
    unit: UnitOfWork,
    operation_key: int,
    unit_keys: Iterable[int],
    *,
    since_us: int,
    states: Collection[StepState] = (),
) -> dict[int, list[Step]]:
    """The steps that other operations have about some units, by their keys: of those that have not
    ended, or not before a moment.

    Args:
        states: only those; none: all.
    """
    found: dict[int, list[Step]] = defaultdict(list)
    has_ended = and_(operation.c.end_time_us > 0, operation.c.end_time_us <= since_us)
    beside = (
        select(table)
        .join(operation, operation.c.key == table.c.operation_key)
        .where(operation.c.key != operation_key, not_(has_ended))
    )
    if states:
        beside = beside.where(table.c.state.in_(sorted(states)))
    for some in batches(sorted(set(unit_keys))):
        for row in unit.connection.execute(beside.where(table.c.unit_key.in_(some))).mappings():
            found[row["operation_key"]].append(step_from(row))
    return found


def states_of_steps(unit: UnitOfWork, operation_key: int) -> list[tuple[str, StepState, str, bool]]:
    """Of all steps of an operation id, state, minor state, and whether it is a way back."""
    columns = (table.c.control_unit, table.c.state, table.c.minor_state, table.c.is_way_back)
    query = select(*columns).where(table.c.operation_key == operation_key)
    rows = unit.connection.execute(query.order_by(table.c.position))
    return [(row[0], StepState(row[1]), row[2], row[3]) for row in rows]


def past_durations(unit: UnitOfWork, unit_keys: Sequence[int], target: State) -> list[int]:
    """How long units took to come to a state in past operations, µs; some of the last ones."""
    query = select((table.c.end_time_us - table.c.start_time_us).label("took")).where(
        and_(
            table.c.unit_key.in_(sorted(unit_keys)),
            table.c.state == StepState.COMPLETED.value,
            table.c.minor_state == StepMinor.REACHED.value,
            table.c.target == target.value,
        )
    )
    return list(unit.connection.scalars(query.order_by(table.c.end_time_us.desc()).limit(500)))
