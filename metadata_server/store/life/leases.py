"""Leases: renewed in batches by the database's clock, looked over by sweeps, never revived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import case, or_, select
from sqlalchemy.engine import Row

from metadata_server.domain.life.session import Lease
from metadata_server.domain.life.state import Contact
from metadata_server.store.keys import batches
from metadata_server.store.schema import lease
from metadata_server.store.unit_of_work import UnitOfWork

open_ = lease.c.ended.is_(False)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of a batch of heartbeats; a session in neither set waits for a sweep's word.

    Attributes:
        renewed: their leases run on.
        ended: their sessions have ended, or never were.
    """

    renewed: frozenset[str]
    ended: frozenset[str]


def renew(unit: UnitOfWork, sessions: Iterable[str], *, lease_us: int) -> Renewal:
    """Lets the leases that still run go on from now; writes no revision.

    Never an upsert, which would bring back a session that has ended.
    """
    wanted = sorted(set(sessions))
    lapsed: set[str] = set()
    ended: set[str] = set()
    now = unit.database.now_us
    for some in batches(wanted):
        renewing = (
            lease.update()
            .where(lease.c.session.in_(some), open_, lease.c.end_us > now)
            .values(end_us=now + lease_us, beat_us=now)
        )
        if unit.connection.execute(renewing).rowcount == len(some):
            continue
        query = select(lease.c.session, lease.c.ended, (lease.c.end_us > now).label("runs"))
        rows = unit.connection.execute(query.where(lease.c.session.in_(some))).all()
        ended |= set(some) - {row.session for row in rows if not row.ended}
        lapsed |= {row.session for row in rows if not row.ended and not row.runs}
    return Renewal(frozenset(wanted) - ended - lapsed, frozenset(ended))


@dataclass(frozen=True, slots=True)
class OpenLease:
    """A lease that a sweep looks at, with what was last written of it."""

    lease: Lease
    unit_server_key: int
    contact: Contact


def leases_to_judge(unit: UnitOfWork, *, silent_before_us: int) -> list[OpenLease]:
    """Open leases whose contact may have to change, locked in the order of their sessions."""
    query = (
        select(lease)
        .where(
            open_,
            or_(
                lease.c.beat_us < silent_before_us,
                lease.c.contact != Contact.ALIVE.value,
                lease.c.end_us <= unit.now_us,
            ),
        )
        .order_by(lease.c.session)
        .with_for_update()
    )
    return [open_lease(row) for row in unit.connection.execute(query)]


def open_lease(row: Row[tuple[object, ...]]) -> OpenLease:
    held = Lease(row.session, row.end_us, row.beat_us, row.ended)
    return OpenLease(held, row.unit_server_key, Contact(row.contact))


def grant_whole_leases(unit: UnitOfWork, *, lease_us: int) -> None:
    """Lets every open lease run for a whole lease from now: no less, and no more either, as one
    that was written by a clock which was ahead. A beat from the future counts as not heard."""
    now = unit.database.now_us
    ends_early = lease.c.end_us < unit.now_us + lease_us
    ends_late = lease.c.end_us > now + lease_us  # one that was renewed meanwhile does not
    is_ahead = lease.c.beat_us > now
    unit.connection.execute(
        lease.update()
        .where(open_, or_(ends_early, ends_late, is_ahead))
        .values(
            end_us=now + lease_us,
            beat_us=case((is_ahead, unit.now_us - 1), else_=lease.c.beat_us),
        )
    )


def write_contact(unit: UnitOfWork, sessions: Sequence[str], contact: Contact) -> int:
    """Writes the contact of open leases; how many there were."""
    count = 0
    for some in batches(sorted(sessions)):
        writing = lease.update().where(lease.c.session.in_(some), open_)
        count += unit.connection.execute(writing.values(contact=contact.value)).rowcount
    return count


def end_leases(
    unit: UnitOfWork,
    sessions: Iterable[str],
    contact: Contact,
    *,
    lapsed_by_us: int | None = None,
) -> int:
    """Ends open leases; how many there were.

    Args:
        lapsed_by_us: only those that ran out by then, whatever was read of them before.
    """
    count = 0
    for some in batches(sorted(sessions)):
        ending = lease.update().where(lease.c.session.in_(some), open_)
        if lapsed_by_us is not None:
            ending = ending.where(lease.c.end_us <= lapsed_by_us)
        count += unit.connection.execute(ending.values(ended=True, contact=contact.value)).rowcount
    return count


def ended_among(unit: UnitOfWork, sessions: Iterable[str]) -> set[str]:
    """Those of some sessions that have ended, or never were."""
    wanted = set(sessions)
    running: set[str] = set()
    for some in batches(sorted(wanted)):
        query = select(lease.c.session).where(lease.c.session.in_(some), open_)
        running |= {row.session for row in unit.connection.execute(query)}
    return wanted - running
