"""Lives of control units: how they begin and end, and what is known of them afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, func, select

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.store.keys import batches
from metadata_server.store.life.conditions import drop_conditions
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.schema import (
    control_unit,
    control_unit_status,
    instantiation,
    lease,
    name,
)
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_missing, insert_rows

T = TypeVar("T")
HELD = "It has left unit server {}; another one loads it when that one has let go of it."
"""Why a unit that was moved is not loaded yet: what its status says until it is taken in."""


def begin_lives(
    unit: UnitOfWork, session: Session, units: Sequence[ControlUnit], *, join: bool = False
) -> None:
    """A life of each unit in this session.

    Args:
        join: the session runs already, and a unit may have left it before: then its life there
            goes on.
    """
    begin_us = unit.claim().now_us
    rows = [
        {
            "session": session.id,
            "control_unit_key": each.meta.key,
            "begin_time_us": begin_us,
            "end_time_us": None,
            "end_reason": None,
            "template_key": unit.keys.key_of(Kind.TEMPLATE, each.template),
            "template_version": each.template_version,
            "fingerprint": "",
        }
        for each in units
    ]
    if not join:
        insert_rows(unit.connection, instantiation, rows)
        return
    insert_missing(unit.connection, instantiation, rows)
    for some in batches(sorted(each.meta.key for each in units)):
        unit.connection.execute(
            instantiation.update()
            .where(
                instantiation.c.session == session.id, instantiation.c.control_unit_key.in_(some)
            )
            .values(end_time_us=None, end_reason=None)
        )


def last_applied() -> ColumnElement[str]:
    """The fingerprint that a life takes down when it ends: that of the unit's status, while it
    is of the same session. Until then only the status has it, so that a report changes one row
    and not two."""
    status = control_unit_status
    found = (
        select(status.c.fingerprint)
        .where(
            status.c.key == instantiation.c.control_unit_key,
            status.c.session == instantiation.c.session,
        )
        .correlate(instantiation)
        .scalar_subquery()
    )
    return func.coalesce(found, instantiation.c.fingerprint)


def begin_leaving(unit: UnitOfWork, keys: Iterable[int]) -> None:
    """Has units leave their unit server, deleted or moved. Their lives there go on until it has let
    go of them, and no other takes them in before that; see `leaving_keys`.

    Their status says UNLOADED from here on, in no session, so that nothing which the old unit
    server still reports can change it; what held of them there holds no more.
    """
    leaving = sorted(set(keys))
    if not leaving:
        return
    statuses = statuses_of(unit, leaving, lock=True)
    drop_conditions(unit, (key for key, status in statuses.items() if status.conditions))
    hosted = {key: status for key, status in statuses.items() if status.session}
    now_us = unit.claim().now_us
    for some in batches(leaving):
        unit.connection.execute(
            instantiation.update()
            .where(
                instantiation.c.control_unit_key.in_(some),
                instantiation.c.end_time_us.is_(None),
                instantiation.c.end_reason.is_(None),
            )
            .values(end_reason=EndReason.REMOVED.value, fingerprint=last_applied())
        )
    held = leaving_keys(unit, hosted)
    left = [
        replace(
            status,
            unit_server="",
            session="",
            sequence=0,
            state=State.UNLOADED,
            state_time_us=now_us,
            message=HELD.format(status.unit_server) if key in held else "",
            conditions=(),
        )
        for key, status in hosted.items()
    ]
    save_statuses(unit, left)


def leaving_keys(unit: UnitOfWork, keys: Iterable[int], *, save_of: str = "") -> set[int]:
    """Which units have left a unit server that has not let go of them: its session runs still.

    Args:
        save_of: a session that does not count.
    """
    found: set[int] = set()
    for some in batches(sorted(keys)):
        query = select(instantiation.c.control_unit_key).where(
            instantiation.c.control_unit_key.in_(some)
        )
        found.update(unit.connection.scalars(that_leave(query, save_of)))
    return found


def leaving_ids(unit: UnitOfWork, ids: Iterable[str], *, save_of: str = "") -> set[str]:
    """As `leaving_keys`, of units that were deleted, by the ids that they had: another that is
    created with such an id is, as far as anybody can tell, the same device."""
    found: set[str] = set()
    for some in batches(sorted(ids)):
        query = (
            select(name.c.id)
            .join(instantiation, instantiation.c.control_unit_key == name.c.key)
            .outerjoin(control_unit, control_unit.c.key == name.c.key)
            .where(
                name.c.kind == Kind.CONTROL_UNIT.value,
                name.c.id.in_(some),
                control_unit.c.key.is_(None),
            )
        )
        found.update(unit.connection.scalars(that_leave(query, save_of)))
    return found


def that_leave(lives: Select[tuple[T]], save_of: str) -> Select[tuple[T]]:
    """Those of lives that end when a unit server has let go, whose session runs still."""
    return lives.join(lease, lease.c.session == instantiation.c.session).where(
        instantiation.c.end_time_us.is_(None),
        instantiation.c.end_reason == EndReason.REMOVED.value,
        instantiation.c.session != save_of,
        lease.c.ended.is_(False),
    )


def end_leaving(unit: UnitOfWork, session: str, keys: Iterable[int]) -> None:
    """A unit server has let go of units that had left it; one that is back goes on there. This
    changes nothing that a revision tells: whoever waits for it looks by itself."""
    for some in batches(sorted(keys)):
        unit.connection.execute(
            instantiation.update()
            .where(
                instantiation.c.session == session,
                instantiation.c.control_unit_key.in_(some),
                instantiation.c.end_time_us.is_(None),
                instantiation.c.end_reason == EndReason.REMOVED.value,
            )
            .values(end_time_us=unit.now_us)
        )
