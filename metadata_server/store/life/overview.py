"""The overview, counted by the database: few statements, whatever the facility's size."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Select, and_, case, literal, not_, or_, select

from metadata_server.domain.life.overview import (
    ABNORMAL,
    AbnormalUnit,
    Overview,
    Standing,
    Tally,
    unit_servers_of,
    zones_of,
)
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.store.life.census import CensusTaker
from metadata_server.store.life.counting import (
    Counted,
    counted_units,
    stuck_units,
)
from metadata_server.store.life.observer import observer
from metadata_server.store.life.session_roll import SessionRoll
from metadata_server.store.orchestration.maintenances import coverage_now, covered
from metadata_server.store.schema import control_unit, control_unit_status, lease, unit_server
from metadata_server.store.unit_of_work import UnitOfWork

MOST_NAMED_SESSIONS = 500
"""Abnormal units of more sessions than these are looked for among all units."""
SMALLEST_BATCH = 200

UNIT = control_unit.c
STATUS = control_unit_status.c


@dataclass(frozen=True, slots=True)
class Memory:
    """What overviews are made of, so that of the next only that is read which has changed."""

    census: CensusTaker = field(default_factory=CensusTaker)
    sessions: SessionRoll = field(default_factory=SessionRoll)


def read_overview(
    unit: UnitOfWork, *, abnormal_limit: int, memory: Memory | None = None
) -> Overview:
    """The overview as of now, with at most so many abnormal units.

    Args:
        memory: of the overview before; None: everything is read.
    """
    memory = memory or Memory()
    seen = observer(unit)
    sessions = memory.sessions.call(unit, seen)
    coverage = coverage_now(unit)
    stuck = stuck_units(unit)
    taken = memory.census.take(unit, coverage, some_are_stuck=stuck is not None)
    counted = list(counted_units(taken, sessions))
    groups = [each.group for each in counted]
    watched = None if coverage.is_empty else not_(covered(unit, coverage))
    abnormal = abnormal_units(
        unit, counted, sessions.contacts, stuck=stuck, wanted=watched, limit=abnormal_limit
    )
    return Overview(
        position=unit.position,
        time_us=unit.now_us,
        tally=Tally.of(groups),
        zones=zones_of(groups),
        unit_servers=unit_servers_of(
            sessions.all, groups, in_maintenance=coverage.servers, agents=sessions.agents
        ),
        abnormal=tuple(abnormal),
        blind_until_us=seen.blind_until_us if unit.now_us < seen.blind_until_us else 0,
    )


def abnormal_units(
    unit: UnitOfWork,
    counted: Iterable[Counted],
    contacts: Mapping[str, Contact],
    *,
    stuck: ColumnElement[bool] | None,
    wanted: ColumnElement[bool] | None,
    limit: int,
) -> list[AbnormalUnit]:
    """The first of those that are not as they should be, worst first, then by id.

    Args:
        wanted: passed by the units that were counted and are not left alone; None: all are.
    """
    abnormal = [each for each in counted if each.group.standing.health in ABNORMAL]
    found: list[AbnormalUnit] = []
    for health in ABNORMAL:
        for errs in (True, False):
            alike = [
                each
                for each in abnormal
                if each.group.standing.health is health
                and each.group.standing.state.is_error is errs
            ]
            if alike and len(found) < limit:
                query = candidates(alike, stuck)
                if wanted is not None:
                    query = query.where(wanted)
                found += first_units(unit, query, alike, contacts, limit=limit - len(found))
    return found


def first_units(
    unit: UnitOfWork,
    query: Select[tuple[object, ...]],
    alike: Collection[Counted],
    contacts: Mapping[str, Contact],
    *,
    limit: int,
) -> list[AbnormalUnit]:
    """The first units of a query, by id, that stand as some groups do."""
    standings = {each.group.standing for each in alike}
    found: list[AbnormalUnit] = []
    after, size = "", max(limit, SMALLEST_BATCH)
    while len(found) < limit:
        rows = unit.connection.execute(query.where(UNIT.id > after).limit(size)).all()
        servers = {row.unit_server_key for row in rows} - {None}
        unit.keys.find_ids(Kind.UNIT_SERVER, servers)
        for row in rows:
            state, desired = State(row.state or State.UNSPECIFIED), State(row.desired_state)
            contact = contacts.get(row.session, Contact.NONE)
            standing = Standing(state, desired, contact, is_stuck=bool(row.stuck))
            if standing in standings:
                key = row.unit_server_key
                server = "" if key is None else unit.keys.id_of(Kind.UNIT_SERVER, key)
                message, time_us = row.message or "", row.state_time_us or 0
                found.append(AbnormalUnit(row.id, server, standing, time_us, message))
        if len(rows) < size:
            break
        after = rows[-1].id
    return found[:limit]


def candidates(
    alike: Collection[Counted], stuck: ColumnElement[bool] | None
) -> Select[tuple[object, ...]]:
    """Units among which all are that stand as some groups do, by id."""
    query = (
        select(
            UNIT.id,
            UNIT.unit_server_key,
            UNIT.desired_state,
            STATUS.state,
            STATUS.session,
            STATUS.state_time_us,
            STATUS.message,
            (literal(0) if stuck is None else case((stuck, 1), else_=0)).label("stuck"),
        )
        .select_from(control_unit)
        .outerjoin(control_unit_status, STATUS.key == UNIT.key)
        .order_by(UNIT.id)
    )
    pairs = {(each.group.standing.state, each.group.standing.desired) for each in alike}
    query = query.where(or_(*(stands(state, desired) for state, desired in pairs)))
    sessions = {each.session for each in alike}
    servers = sorted({each.group.unit_server_key for each in alike})
    if None in sessions or len(sessions) > MOST_NAMED_SESSIONS or 0 in servers:
        return query
    return query.where(
        STATUS.session.in_(sorted(filter(None, sessions))), UNIT.unit_server_key.in_(servers)
    )


def stands(state: State, desired: State) -> ColumnElement[bool]:
    reported = STATUS.state == state.value
    if state is State.UNSPECIFIED:
        reported = or_(reported, STATUS.state.is_(None))
    return and_(reported, UNIT.desired_state == desired.value)


def beats(unit: UnitOfWork) -> list[tuple[str, int]]:
    """Ids of unit servers with an open session, and when word last came from each, by id."""
    query = (
        select(unit_server.c.id, lease.c.beat_us)
        .join(unit_server, unit_server.c.key == lease.c.unit_server_key)
        .where(lease.c.ended.is_(False))
        .order_by(unit_server.c.id)
    )
    return [(row.id, row.beat_us) for row in unit.connection.execute(query)]
