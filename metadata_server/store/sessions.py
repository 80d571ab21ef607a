"""Sessions of unit servers: which one is the last, how one begins and ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.engine import RowMapping

from metadata_server.domain.names import Kind
from metadata_server.domain.session import EndReason, Lease, Session
from metadata_server.domain.state import Contact
from metadata_server.store.codec import data_of
from metadata_server.store.keys import batches
from metadata_server.store.schema import lease, session, unit_server_status
from metadata_server.store.unit_of_work import UnitOfWork

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
