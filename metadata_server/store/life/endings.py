"""How sessions end: lease, session and the lives in it, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from metadata_server.domain.life.condition import outlives_session
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import Contact
from metadata_server.domain.names import Kind
from metadata_server.store.keys import batches
from metadata_server.store.life.conditions import drop_mortal, keys_of_the_dead
from metadata_server.store.life.instantiations import last_applied
from metadata_server.store.life.leases import end_leases
from metadata_server.store.life.status_images import session_image
from metadata_server.store.life.statuses import save_statuses, statuses_of
from metadata_server.store.schema import instantiation, lease, session, unit_server_status
from metadata_server.store.unit_of_work import LostRace, UnitOfWork


@dataclass(frozen=True, slots=True)
class Ending:
    """A session that ends.

    Attributes:
        end_us: when, by the database's clock.
    """

    session: str
    unit_server_key: int
    end_us: int


def end_sessions(
    unit: UnitOfWork,
    endings: Sequence[Ending],
    reason: EndReason,
    *,
    lapsed_by_us: int | None = None,
) -> None:
    """Ends open sessions with the lives in them; a sweep's are LOST, others NONE.

    Writes no image: whether the end or a new session is the news at this revision, the caller
    knows.

    Args:
        lapsed_by_us: tested again in the writing statement: only leases that ran out by then.

    Raises:
        LostRace: one of them was ended or renewed meanwhile.
    """
    contact = Contact.LOST if reason is EndReason.LEASE_ENDED else Contact.NONE
    names = sorted(each.session for each in endings)
    if end_leases(unit, names, contact, lapsed_by_us=lapsed_by_us) != len(names):
        raise LostRace
    ends = {each.session: each.end_us for each in endings}
    for some in batches(names):
        of_some = {name: ends[name] for name in some}
        unit.connection.execute(
            session.update()
            .where(session.c.id.in_(some))
            .values(end_time_us=case(of_some, value=session.c.id), end_reason=reason.value)
        )
    end_lives(unit.connection, ends=ends, reason=reason)


def end_lives(connection: Connection, *, ends: Mapping[str, int], reason: EndReason) -> None:
    """Ends the lives of units in sessions that end, also of those that have left them before.

    Args:
        ends: when, by the database's clock, by session.
    """
    for some in batches(sorted(ends)):
        of_some = {name: ends[name] for name in some}
        connection.execute(
            instantiation.update()
            .where(instantiation.c.session.in_(some), instantiation.c.end_time_us.is_(None))
            .values(
                end_time_us=case(of_some, value=instantiation.c.session),
                end_reason=func.coalesce(instantiation.c.end_reason, reason.value),
                fingerprint=last_applied(),
            )
        )


def tell_endings(unit: UnitOfWork, endings: Iterable[Ending], reason: EndReason) -> None:
    """Makes the ends of sessions news: an image of each at this transaction's revision. What
    runs no more does not run with a wrong configuration either, and is on no way."""
    endings = list(endings)
    contact = Contact.LOST if reason is EndReason.LEASE_ENDED else Contact.NONE
    tell_contacts(
        unit,
        {each.unit_server_key: (each.session, contact) for each in endings},
        {each.unit_server_key: (each.end_us, reason) for each in endings},
    )
    forget_mortal(unit, [each.session for each in endings])


def forget_mortal(unit: UnitOfWork, sessions: Iterable[str]) -> None:
    """Ends what held of units only as long as their session lasted."""
    keys = keys_of_the_dead(unit, sessions)
    if not keys:
        return
    statuses = statuses_of(unit, keys, lock=True)
    drop_mortal(unit, {key: status.conditions for key, status in statuses.items()})
    left = (
        (status, tuple(filter(outlives_session, status.conditions))) for status in statuses.values()
    )
    save_statuses(
        unit, [replace(each, conditions=rest) for each, rest in left if rest != each.conditions]
    )


def tell_contacts(
    unit: UnitOfWork,
    contacts: dict[int, tuple[str, Contact]],
    ends: dict[int, tuple[int, EndReason]] | None = None,
) -> None:
    """Images of what has become of the last sessions of unit servers, by their keys."""
    if not contacts:
        return
    moment = unit.claim()
    for key, (name, contact) in sorted(contacts.items()):
        image = session_image(contact, moment.now_us, (ends or {}).get(key))
        unit.add_status_image(Kind.UNIT_SERVER_STATUS, key, name, image)
    for some in batches(sorted(contacts)):
        unit.connection.execute(
            unit_server_status.update()
            .where(unit_server_status.c.key.in_(some))
            .values(revision=moment.position.revision)
        )


def ending_of(unit: UnitOfWork, name: str) -> Ending | None:
    """How an open session would end now, its unit server locked; None: it has ended."""
    query = (
        select(lease.c.unit_server_key)
        .where(lease.c.session == name, lease.c.ended.is_(False))
        .with_for_update()
    )
    key = unit.connection.execute(query).scalar_one_or_none()
    return None if key is None else Ending(name, key, unit.now_us)


def end_now(unit: UnitOfWork, name: str, reason: EndReason) -> None:
    """Ends a session that has not ended yet."""
    ending = ending_of(unit, name)
    if ending is not None:
        end_sessions(unit, [ending], reason)
        tell_endings(unit, [ending], reason)
