"""What control units last said of themselves: one row a unit, changed only by its session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import RowMapping

from metadata_server.domain.intent.control_unit import ControlUnitStatus
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.store.keys import batches
from metadata_server.store.life.conditions import NOTHING, conditions_of, told
from metadata_server.store.life.recoveries import recovery_of, recovery_text
from metadata_server.store.life.status_images import status_image
from metadata_server.store.schema import control_unit_status
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows, upsert_rows_if


def statuses_of(
    unit: UnitOfWork, unit_keys: Iterable[int], *, lock: bool = False
) -> dict[int, ControlUnitStatus]:
    """Statuses by key of the unit, of those that were ever hosted; locked in key order."""
    table = control_unit_status
    found: dict[int, ControlUnitStatus] = {}
    for some in batches(sorted(set(unit_keys))):
        query = select(table).where(table.c.key.in_(some)).order_by(table.c.key)
        rows = unit.connection.execute(query.with_for_update() if lock else query).mappings().all()
        unit.keys.find_ids(Kind.CONTROL_UNIT, (row["key"] for row in rows))
        unit.keys.find_ids(Kind.UNIT_SERVER, {row["unit_server_key"] for row in rows} - {None})
        held = conditions_of(unit, (row["key"] for row in rows))
        for row in rows:
            key = row["key"]
            found[key] = status_from(unit, row, told(held.get(key, NOTHING)))
    return found


def status_from(
    unit: UnitOfWork, row: RowMapping, conditions: tuple[Condition, ...]
) -> ControlUnitStatus:
    """A status from its row; `passed` stands only in the history."""
    server_key = row["unit_server_key"]
    return ControlUnitStatus(
        id=unit.keys.id_of(Kind.CONTROL_UNIT, row["key"]),
        key=row["key"],
        unit_server="" if server_key is None else unit.keys.id_of(Kind.UNIT_SERVER, server_key),
        session=row["session"],
        sequence=row["sequence"],
        state=State(row["state"]),
        state_time_us=row["state_time_us"],
        message=row["message"],
        reached_generation=row["reached_generation"],
        reached_recover_count=row["reached_recover_count"],
        dataset=row["dataset"],
        fingerprint=row["fingerprint"],
        unfenced=row["unfenced"],
        recovery=recovery_of(row["recovery"]),
        conditions=conditions,
        revision=row["revision"],
    )


Tests = tuple[tuple[str, str], ...]
"""What a writing statement tests itself, whatever was read before: see `upserting_if`."""
SAME_SESSION: Tests = (("session", "eq"),)
NEWER_REPORT: Tests = (("session", "eq"), ("sequence", "lt"))


def save_statuses(
    unit: UnitOfWork, statuses: Iterable[ControlUnitStatus], *, tests: Tests = ()
) -> None:
    """Writes statuses at this transaction's revision, with an image of each; their conditions
    stand in the image, and are rows of their own."""
    moment = unit.claim()
    revision, now_us = moment.position.revision, moment.now_us
    rows = []
    for status in statuses:
        rows.append(row_of_status(unit, status, revision))
        image = status_image(status, now_us)
        unit.add_status_image(status.kind, status.key, status.session, image)
    if not rows:
        return
    if tests:
        upsert_rows_if(unit.connection, control_unit_status, rows, tests)
    else:
        upsert_rows(unit.connection, control_unit_status, rows)


def row_of_status(unit: UnitOfWork, status: ControlUnitStatus, revision: int) -> dict[str, Any]:
    server = status.unit_server
    return {
        "key": status.key,
        "unit_server_key": unit.keys.key_of(Kind.UNIT_SERVER, server) if server else None,
        "session": status.session,
        "sequence": status.sequence,
        "state": status.state.value,
        "state_time_us": status.state_time_us,
        "message": status.message,
        "reached_generation": status.reached_generation,
        "reached_recover_count": status.reached_recover_count,
        "dataset": status.dataset,
        "fingerprint": status.fingerprint,
        "unfenced": status.unfenced,
        "recovery": recovery_text(status.recovery),
        "revision": revision,
    }
