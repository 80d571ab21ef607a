"""What holds of control units besides their state: a row for each fact.

Who writes these rows also writes an image of the unit's status, so that a change of them is
news at a revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select

from metadata_server.domain.life.condition import (
    CONFIG_DRIFT,
    NOT_CONVERGING,
    Condition,
    ConditionStatus,
    outlives_session,
)
from metadata_server.store.codec import data_of, text_of
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit_status, unit_condition
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows


@dataclass(frozen=True, slots=True)
class Held:
    """A condition that is stored.

    Attributes:
        evidence: what it was judged by; while that is the same, so is the judgement.
    """

    condition: Condition
    evidence: str


OF_A_SESSION = (CONFIG_DRIFT, NOT_CONVERGING)
"""Types of conditions that may end with a session; see `outlives_session`."""

HeldByType = Mapping[str, Held]
NOTHING: HeldByType = {}


def conditions_of(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, dict[str, Held]]:
    """Conditions by key of the unit and type, of the units that have any."""
    table = unit_condition
    found: dict[int, dict[str, Held]] = {}
    for some in batches(sorted(set(keys))):
        query = select(table).where(table.c.key.in_(some)).order_by(table.c.key, table.c.type)
        for row in unit.connection.execute(query):
            condition = Condition(
                type=row.type,
                reason=row.reason,
                message=row.message,
                since_us=row.since_us,
                fields=tuple(data_of(row.fields)["fields"]),
                status=ConditionStatus(row.status),
            )
            found.setdefault(row.key, {})[row.type] = Held(condition, row.evidence)
    return found


def told(held: HeldByType) -> tuple[Condition, ...]:
    """Conditions as a status has them: sorted by type."""
    return tuple(held[type_].condition for type_ in sorted(held))


def keys_with_conditions(unit: UnitOfWork, keys: Iterable[int]) -> set[int]:
    """Those of some units that have any condition."""
    found: set[int] = set()
    for some in batches(sorted(set(keys))):
        query = select(unit_condition.c.key).where(unit_condition.c.key.in_(some)).distinct()
        found |= set(unit.connection.scalars(query))
    return found


def keys_of_the_dead(unit: UnitOfWork, sessions: Iterable[str]) -> set[int]:
    """Units of some sessions of which something may hold that ends with a session."""
    status = control_unit_status
    found: set[int] = set()
    for some in batches(sorted(set(sessions))):
        query = (
            select(unit_condition.c.key)
            .join(status, status.c.key == unit_condition.c.key)
            .where(unit_condition.c.type.in_(OF_A_SESSION), status.c.session.in_(some))
        )
        found |= set(unit.connection.scalars(query))
    return found


def write_conditions(unit: UnitOfWork, wanted: Mapping[int, HeldByType]) -> None:
    """Makes the conditions of units what they shall be; all other types of theirs go."""
    table = unit_condition
    kept = {(key, type_) for key, held in wanted.items() for type_ in held}
    gone: dict[str, list[int]] = {}
    for key, held in conditions_of(unit, wanted).items():
        for type_ in held:
            if (key, type_) not in kept:
                gone.setdefault(type_, []).append(key)
    for type_, keys in sorted(gone.items()):
        drop_conditions(unit, keys, type_)
    rows = [row_of(key, each) for key, held in wanted.items() for each in held.values()]
    upsert_rows(unit.connection, table, rows)


def keys_holding(unit: UnitOfWork, type_: str, after: int, *, limit: int) -> list[int]:
    """Units of which a condition of one type holds, by key, after one."""
    table = unit_condition
    query = (
        select(table.c.key)
        .where(table.c.type == type_, table.c.key > after)
        .order_by(table.c.key)
        .limit(limit)
    )
    return list(unit.connection.scalars(query))


def drop_mortal(unit: UnitOfWork, held: Mapping[int, Iterable[Condition]]) -> None:
    """Deletes, of the conditions of units, those that end with their session."""
    gone: dict[str, list[int]] = {}
    for key, conditions in held.items():
        for each in conditions:
            if not outlives_session(each):
                gone.setdefault(each.type, []).append(key)
    for type_, keys in sorted(gone.items()):
        drop_conditions(unit, keys, type_)


def drop_conditions(unit: UnitOfWork, keys: Iterable[int], type_: str = "") -> None:
    """Deletes the conditions of units; `type_` empty: of all types."""
    table = unit_condition
    for some in batches(sorted(set(keys))):
        dropping = delete(table).where(table.c.key.in_(some))
        unit.connection.execute(dropping.where(table.c.type == type_) if type_ else dropping)


def row_of(key: int, held: Held) -> dict[str, object]:
    condition = held.condition
    return {
        "key": key,
        "type": condition.type,
        "status": condition.status.value,
        "reason": condition.reason,
        "message": condition.message,
        "fields": text_of({"fields": condition.fields}),
        "since_us": condition.since_us,
        "evidence": held.evidence,
    }
