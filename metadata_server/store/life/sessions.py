"""Sessions of unit servers: which one is the last, how one begins and ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.engine import RowMapping

from metadata_server.domain.life.session import EndReason, Lease, Session
from metadata_server.domain.life.state import Contact
from metadata_server.domain.names import Kind
from metadata_server.store.codec import data_of, text_of
from metadata_server.store.keys import batches
from metadata_server.store.life.status_images import session_image
from metadata_server.store.schema import lease, session, unit_server, unit_server_status
from metadata_server.store.unit_of_work import LostRace, UnitOfWork
from metadata_server.store.upsert import insert_missing, insert_rows, upsert_rows

Held = tuple[Session, Lease | None]
"""A session and its lease; no lease: its row was trimmed."""


def sessions_of(unit: UnitOfWork, unit_server_keys: Iterable[int]) -> dict[int, Held]:
    """The last session of unit servers, by key, of those that ever registered."""
    found: dict[int, Held] = {}
    for some in batches(sorted(set(unit_server_keys))):
        query = last_sessions().where(unit_server_status.c.key.in_(some))
        rows = unit.connection.execute(query).mappings().all()
        unit.keys.find_ids(Kind.UNIT_SERVER, (row["unit_server_key"] for row in rows))
        found |= {row["unit_server_key"]: held_from(unit, row) for row in rows}
    return found


def open_session(unit: UnitOfWork, name: str) -> Session | None:
    """A session that has not ended; None: it has, or never was."""
    query = last_sessions().where(session.c.id == name, lease.c.ended.is_(False))
    row = unit.connection.execute(query).mappings().one_or_none()
    return None if row is None else held_from(unit, row)[0]


def last_sessions() -> Select[Any]:
    """The last session of each unit server with its lease: rows for `held_from`."""
    return (
        select(session, unit_server_status.c.revision, *LEASE_COLUMNS)
        .join(unit_server_status, unit_server_status.c.session == session.c.id)
        .outerjoin(lease, lease.c.session == session.c.id)
    )


LEASE_COLUMNS = tuple(lease.c[name] for name in ("end_us", "beat_us", "contact", "ended"))


def held_from(unit: UnitOfWork, row: RowMapping) -> Held:
    held = None
    if row["end_us"] is not None:
        held = Lease(row["id"], row["end_us"], row["beat_us"], row["ended"])
    reason = row["end_reason"]
    datasets = data_of(row["classes"])
    return (
        Session(
            id=row["id"],
            unit_server=unit.keys.id_of(Kind.UNIT_SERVER, row["unit_server_key"]),
            unit_server_key=row["unit_server_key"],
            incarnation=row["incarnation"],
            host=row["host"],
            address=row["address"],
            pid=row["pid"],
            version=row["version"],
            classes=tuple(datasets),
            datasets=known(datasets),
            start_time_us=row["start_time_us"],
            end_time_us=row["end_time_us"],
            end_reason=None if reason is None else EndReason(reason),
            contact=Contact(row["contact"] or Contact.NONE),
            revision=row["revision"],
        ),
        held,
    )


def known(datasets: Mapping[str, str]) -> dict[str, str]:
    """Without the classes whose dataset is not yet known."""
    return {name: found for name, found in datasets.items() if found}


def lock_unit_server(unit: UnitOfWork, unit_server_key: int) -> None:
    """Keeps other registrations of a unit server waiting until this transaction ends."""
    table = unit_server_status
    query = select(table.c.key).where(table.c.key == unit_server_key).with_for_update()
    if unit.connection.execute(query).first() is None:
        first = {"key": unit_server_key, "session": "", "revision": 0}
        insert_missing(unit.connection, table, [first])
        unit.connection.execute(query).one()


def check_declared(unit: UnitOfWork, unit_server_key: int) -> None:
    """Passes when a unit server is declared still; to be asked once the revision is claimed, when
    all who came before are to be seen.

    Raises:
        LostRace: somebody has deleted it since it was found.
    """
    query = select(unit_server.c.key).where(unit_server.c.key == unit_server_key)
    if unit.connection.execute(query).first() is None:
        raise LostRace


def begin_session(unit: UnitOfWork, begun: Session, *, lease_us: int) -> Session:
    """Makes a session the last one of its unit server, whose row is locked."""
    moment = unit.claim()
    stamped = replace(
        begun,
        start_time_us=moment.now_us,
        contact=Contact.ALIVE,
        revision=moment.position.revision,
    )
    insert_rows(unit.connection, session, [row_of_session(stamped)])
    now = unit.database.now_us  # the revision's time may be ahead of the clock
    unit.connection.execute(
        lease.insert().values(
            session=stamped.id,
            unit_server_key=stamped.unit_server_key,
            end_us=now + lease_us,
            beat_us=now,
            contact=stamped.contact.value,
            ended=False,
        )
    )
    last = {
        "key": stamped.unit_server_key,
        "session": stamped.id,
        "revision": moment.position.revision,
    }
    upsert_rows(unit.connection, unit_server_status, [last])
    unit.add_status_image(
        stamped.kind,
        stamped.unit_server_key,
        stamped.id,
        session_image(stamped.contact, moment.now_us),
    )
    return stamped


def row_of_session(begun: Session) -> dict[str, Any]:
    return {
        "id": begun.id,
        "unit_server_key": begun.unit_server_key,
        "incarnation": begun.incarnation,
        "host": begun.host,
        "address": begun.address,
        "pid": begun.pid,
        "version": begun.version,
        "classes": text_of({name: begun.datasets.get(name, "") for name in begun.classes}),
        "start_time_us": begun.start_time_us,
        "end_time_us": None,
        "end_reason": None,
    }
