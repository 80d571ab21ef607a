"""Runs of unit servers that ended without a good-bye, shortly after they had begun."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from metadata_server.domain.life.convergence import DEATHS_WINDOW_US, MOST_DEATHS, Deaths
from metadata_server.domain.life.session import EndReason
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit_status, session
from metadata_server.store.unit_of_work import UnitOfWork

WITHOUT_GOOD_BYE = (EndReason.LEASE_ENDED.value, EndReason.SUPERSEDED.value)


def deaths_of(unit: UnitOfWork, unit_server_keys: Iterable[int]) -> dict[int, Deaths]:
    """By key, of the unit servers that have died within the window at all."""
    runs: dict[int, list[tuple[int, int]]] = {}
    for some in batches(sorted(set(unit_server_keys))):
        query = (
            select(session.c.unit_server_key, session.c.start_time_us, session.c.end_time_us)
            .where(
                session.c.unit_server_key.in_(some),
                session.c.start_time_us > unit.now_us - DEATHS_WINDOW_US,
                session.c.end_reason.in_(WITHOUT_GOOD_BYE),
            )
            .order_by(session.c.unit_server_key, session.c.start_time_us.desc())
        )
        for key, start_us, end_us in unit.connection.execute(query):
            runs.setdefault(key, []).append((start_us, end_us))
    return {
        key: Deaths(
            count=len(found),
            oldest_us=found[min(MOST_DEATHS, len(found) - 1)][0],
            last_us=max(end_us for _, end_us in found),
        )
        for key, found in runs.items()
    }


def units_of_the_dying(unit: UnitOfWork, sessions: Iterable[str]) -> list[int]:
    """Keys of the units of the unit servers of some sessions, of those that die again and
    again."""
    servers: set[int] = set()
    for some in batches(sorted(set(sessions))):
        query = select(session.c.unit_server_key).where(session.c.id.in_(some))
        servers |= set(unit.connection.scalars(query))
    dying = sorted(key for key, deaths in deaths_of(unit, servers).items() if deaths.are_many)
    status = control_unit_status.c
    found: list[int] = []
    for keys in batches(dying):
        hosted = select(status.key).where(status.unit_server_key.in_(keys))
        found += unit.connection.scalars(hosted)
    return found
