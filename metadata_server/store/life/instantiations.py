"""Lives of control units: how they begin and end, and what is known of them afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, func, select

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.store.keys import batches
from metadata_server.store.life.conditions import drop_conditions
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.schema import control_unit_status, instantiation
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_missing, insert_rows


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


def end_lives(unit: UnitOfWork, keys: Iterable[int], reason: EndReason) -> None:
    """Ends the lives of units that leave their unit server, deleted or moved.

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
                instantiation.c.control_unit_key.in_(some), instantiation.c.end_time_us.is_(None)
            )
            .values(end_time_us=now_us, end_reason=reason.value, fingerprint=last_applied())
        )
    left = [
        replace(
            status,
            unit_server="",
            session="",
            sequence=0,
            state=State.UNLOADED,
            state_time_us=now_us,
            message="",
            conditions=(),
        )
        for status in hosted.values()
    ]
    save_statuses(unit, left)
