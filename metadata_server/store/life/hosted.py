"""The control units that a unit server hosts, as they are declared now."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import and_, func, or_, select

from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.names import Kind
from metadata_server.store.keys import batches
from metadata_server.store.schema import control_unit, control_unit_status, instantiation
from metadata_server.store.unit_of_work import LostRace, UnitOfWork


def hosted_units(
    unit: UnitOfWork, unit_server_key: int, keys: Collection[int] | None = None
) -> list[ControlUnit]:
    """Units of a unit server, sorted by id; `keys`: of these only."""
    mine = control_unit.c.unit_server_key == unit_server_key
    if keys is None:
        return unit.resources.where(ControlUnit, mine)
    found: list[ControlUnit] = []
    for some in batches(sorted(keys)):
        found += unit.resources.where(ControlUnit, mine, control_unit.c.key.in_(some))
    return sorted(found, key=lambda each: each.id)


def check_hosted(unit: UnitOfWork, unit_server_key: int, keys: Collection[int]) -> None:
    """Passes when units are declared still, and for this unit server.

    Raises:
        LostRace: somebody has moved or deleted one since it was found.
    """
    for some in batches(sorted(keys)):
        query = select(func.count()).where(
            control_unit.c.key.in_(some), control_unit.c.unit_server_key == unit_server_key
        )
        if unit.connection.execute(query).scalar_one() != len(some):
            raise LostRace


def hosted_among(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, tuple[ControlUnit, int]]:
    """Units by key, each with the key of its unit server, of those that have one."""
    return {
        key: (each, unit.keys.key_of(Kind.UNIT_SERVER, each.unit_server))
        for key, each in unit.resources.of_keys(ControlUnit, keys).items()
        if each.unit_server
    }


def changed_keys(unit: UnitOfWork, session: Session, after: int) -> list[int]:
    """Keys of the units of a session's unit server that have changed, or come to it, after a
    revision, or that the session has not taken in yet."""
    status = control_unit_status.c
    is_stamped = and_(status.key == control_unit.c.key, status.session == session.id)
    query = (
        select(control_unit.c.key)
        .outerjoin(control_unit_status, is_stamped)
        .where(
            control_unit.c.unit_server_key == session.unit_server_key,
            or_(control_unit.c.revision > after, status.key.is_(None)),
        )
    )
    return [row.key for row in unit.connection.execute(query)]


def removed_keys(unit: UnitOfWork, session: str) -> list[int]:
    """Keys of the units that have left a unit server during a session."""
    query = select(instantiation.c.control_unit_key).where(
        instantiation.c.session == session,
        instantiation.c.end_reason == EndReason.REMOVED.value,
    )
    return [row.control_unit_key for row in unit.connection.execute(query)]
