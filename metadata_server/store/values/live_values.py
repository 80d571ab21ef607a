"""What inputs are set to: one row a unit, changed only by the session that has the unit.

Values tick, so they claim no revision and leave no history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import select

from metadata_server.domain.life.state import State
from metadata_server.domain.values.live_values import LiveValue, UnitValues
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit_status
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows
from metadata_server.store.values.live_value_table import live_value

encoder = msgspec.json.Encoder()
decoder = msgspec.json.Decoder(tuple[LiveValue, ...])


class Held(NamedTuple):
    """What is kept of one unit.

    Attributes:
        state: that it last reported.
        unit_server_key: of the unit server that hosts it, or did last; None: it was deleted.
        session: that has it, or had it last.
        reported_by: session that reported the values; empty: none did.
    """

    key: int
    state: State
    unit_server_key: int | None
    session: str
    reported_by: str
    values: tuple[LiveValue, ...] | None


def held_values(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, Held]:
    """What is kept of units, by key, of those that were ever hosted."""
    status, mine = control_unit_status.c, live_value.c
    query = select(
        status.key,
        status.state,
        status.unit_server_key,
        status.session,
        mine.session.label("reported_by"),
        mine.content,
    ).select_from(control_unit_status.outerjoin(live_value, mine.key == status.key))
    found: dict[int, Held] = {}
    for some in batches(sorted(set(keys))):
        for row in unit.connection.execute(query.where(status.key.in_(some))):
            found[row.key] = Held(
                row.key,
                State(row.state),
                row.unit_server_key,
                row.session,
                row.reported_by or "",
                None if row.content is None else decoder.decode(row.content),
            )
    return found


def write_values(
    unit: UnitOfWork, reported: Mapping[int, tuple[str, UnitValues]], *, steady_us: int
) -> int:
    """Writes what sessions reported, by key of the unit; how many were news.

    A session that does not have the unit any more changes nothing, and neither does an older
    report of one that has: the row of the unit's status is locked, as it is by all who give a
    unit to another session.

    Args:
        steady_us: now, by the steady clock that the reports were timed by.
    """
    behind_us = unit.now_us - steady_us
    rows = []
    for some in batches(sorted(reported)):
        holders, written = holders_of(unit, some), sequences_of(unit, some)
        for key in some:
            session, values = reported[key]
            known_by, sequence = written.get(key, ("", 0))
            if holders.get(key) != session or (known_by == session and sequence >= values.sequence):
                continue
            row = {"key": key, "session": session, "sequence": values.sequence}
            rows.append({**row, "content": text_of_values(values, behind_us)})
    upsert_rows(unit.connection, live_value, rows)
    return len(rows)


def holders_of(unit: UnitOfWork, keys: list[int]) -> dict[int, str]:
    """Sessions that have units, by key; nobody takes one of them until this transaction ends."""
    status = control_unit_status.c
    query = select(status.key, status.session).where(status.key.in_(keys)).order_by(status.key)
    return {row.key: row.session for row in unit.connection.execute(query.with_for_update())}


def sequences_of(unit: UnitOfWork, keys: list[int]) -> dict[int, tuple[str, int]]:
    """Session and sequence of what is written, by key of the unit."""
    columns = live_value.c
    query = select(columns.key, columns.session, columns.sequence).where(columns.key.in_(keys))
    return {row.key: (row.session, row.sequence) for row in unit.connection.execute(query)}


def text_of_values(values: UnitValues, behind_us: int) -> str:
    """JSON: a list of what `LiveValue` has, in its order."""
    found = [
        LiveValue(each.attribute, each.type, each.value, max(0, each.since_us + behind_us))
        for each in sorted(values.values)
    ]
    return encoder.encode(found).decode()


def drop_values(unit: UnitOfWork, keys: Iterable[int]) -> None:
    """Forgets the values of units that are deleted."""
    for some in batches(sorted(keys)):
        unit.connection.execute(live_value.delete().where(live_value.c.key.in_(some)))
