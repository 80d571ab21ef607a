"""Control units counted by the database, whatever the facility's size.

Units are grouped by all that their verdict depends on; the verdict itself is the domain's, one
for each group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true

from metadata_server.domain.life.condition import NOT_CONVERGING
from metadata_server.domain.life.overview import Group, Standing
from metadata_server.domain.life.session import Observer, Session, contact_of
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.store.keys import batches
from metadata_server.store.life.sessions import Held, held_from, last_sessions
from metadata_server.store.orchestration.maintenances import covered
from metadata_server.store.schema import (
    control_unit,
    control_unit_status,
    session,
    unit_condition,
    unit_server,
)
from metadata_server.store.unit_of_work import UnitOfWork

NOBODY = 0
"""Stands for the unit server of units that have none."""

UNIT, STATUS, CONDITION = control_unit.c, control_unit_status.c, unit_condition.c


@dataclass(frozen=True)
class Sessions:
    """The last session of every unit server, with its contact as it is now.

    Attributes:
        silent_us: since when nothing has come from those that are out of touch, by session.
        agents: ids of those that launch unit servers, by the key of the unit server.
    """

    all: list[Session]
    silent_us: Mapping[str, int]
    agents: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def contacts(self) -> Mapping[str, Contact]:
        """By session."""
        return {session.id: session.contact for session in self.all if session.id}


@dataclass(frozen=True, slots=True)
class Hosting:
    """One unit server.

    Attributes:
        held: its last session and the lease; None: it never registered.
        agent_key: of the one that launches it.
    """

    key: int
    id: str
    agent_key: int | None
    held: Held | None


def hostings(unit: UnitOfWork, keys: Collection[int] | None = None) -> dict[int, Hosting]:
    """By the key of the unit server; None: of all."""
    if keys is None:
        return _hostings(unit, true())
    found: dict[int, Hosting] = {}
    for some in batches(sorted(keys)):
        found |= _hostings(unit, unit_server.c.key.in_(some))
    return found


def _hostings(unit: UnitOfWork, wanted: ColumnElement[bool]) -> dict[int, Hosting]:
    columns = unit_server.c
    query = select(columns.key, columns.id, columns.agent_key).where(wanted)
    servers = unit.connection.execute(query).all()
    for server in servers:
        unit.keys.learn(Kind.UNIT_SERVER, server.id, server.key)
    sessions = last_sessions().join(unit_server, columns.key == session.c.unit_server_key)
    rows = unit.connection.execute(sessions.where(wanted)).mappings().all()
    held = {row["unit_server_key"]: held_from(unit, row) for row in rows}
    return {
        server.key: Hosting(server.key, server.id, server.agent_key, held.get(server.key))
        for server in servers
    }


def all_sessions(unit: UnitOfWork, seen: Observer) -> Sessions:
    return sessions_of_hostings(unit, hostings(unit), seen)


def sessions_of_hostings(
    unit: UnitOfWork, found: Mapping[int, Hosting], seen: Observer
) -> Sessions:
    """With the contacts of now."""
    every: list[Session] = []
    silent_us: dict[str, int] = {}
    for each in found.values():
        if each.held is None:
            every.append(Session(id="", unit_server=each.id, unit_server_key=each.key))
            continue
        last, its_lease = each.held
        contact = contact_of(last, its_lease, seen, unit.now_us)
        every.append(last if contact is last.contact else replace(last, contact=contact))
        if contact is not Contact.ALIVE:
            silent_us[last.id] = last.end_time_us or (its_lease.beat_us if its_lease else 0)
    launched = {e.key: e.agent_key for e in found.values() if e.agent_key is not None}
    unit.keys.find_ids(Kind.AGENT, launched.values())
    agents = {key: unit.keys.id_of(Kind.AGENT, agent) for key, agent in launched.items()}
    return Sessions(every, silent_us, agents)


def stuck_units(unit: UnitOfWork) -> ColumnElement[bool] | None:
    """Passed by the units that were found not to converge; None: there are none, and no unit
    need be asked."""
    holding = select(CONDITION.key).where(CONDITION.type == NOT_CONVERGING)
    if unit.connection.execute(holding.limit(1)).first() is None:
        return None
    return UNIT.key.in_(holding)


@dataclass(frozen=True, slots=True)
class Counted:
    """Units that stand alike in one session; no session: they were never hosted."""

    group: Group
    session: str | None


@dataclass(frozen=True, slots=True)
class Alike:
    """Units of one zone and unit server that stand alike in one session, as the database counts
    them.

    Attributes:
        zone: or what else they are grouped by.
        unit_server_key: NOBODY: they have none.
        session: empty: they were never hosted.
        state_us: since when the first of them is in its state.
        stuck_us: since when the first of them counts as stuck.
    """

    zone: str
    unit_server_key: int
    desired: State
    state: State
    session: str
    in_maintenance: bool
    is_stuck: bool
    state_us: int
    stuck_us: int
    count: int


def alike_units(
    unit: UnitOfWork,
    coverage: Coverage,
    *,
    by: ColumnElement[Any] = UNIT.zone,
    some_are_stuck: bool,
    wanted: ColumnElement[bool] | None = None,
) -> Iterator[Alike]:
    """Every unit, once.

    Args:
        by: what the groups' zones are.
        wanted: passed by the units that are counted; None: all are.
    """
    query = alike_query(unit, coverage, by, some_are_stuck=some_are_stuck)
    if wanted is not None:
        query = query.where(wanted)
    for row in unit.connection.execute(query).mappings():
        yield Alike(
            str(row["zone"] or ""),
            row["unit_server_key"] or NOBODY,
            State(row["desired_state"]),
            State(row["state"] or State.UNSPECIFIED),
            row["session"] or "",
            bool(row.get("maintained")),
            bool(row.get("stuck")),
            row["state_us"] or 0,
            row.get("stuck_us") or 0,
            row["units"],
        )


def alike_query(
    unit: UnitOfWork, coverage: Coverage, by: ColumnElement[Any], *, some_are_stuck: bool
) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [
        by.label("zone"),
        UNIT.unit_server_key,
        UNIT.desired_state,
        STATUS.state,
        STATUS.session,
    ]
    tables = control_unit.outerjoin(control_unit_status, STATUS.key == UNIT.key)
    since = [func.min(STATUS.state_time_us).label("state_us")]
    if some_are_stuck:
        stuck = and_(CONDITION.key == UNIT.key, CONDITION.type == NOT_CONVERGING)
        tables = tables.outerjoin(unit_condition, stuck)
        columns.append(case((CONDITION.key.is_not(None), 1), else_=0).label("stuck"))
        since.append(func.min(CONDITION.since_us).label("stuck_us"))
    if not coverage.is_empty:
        columns.append(case((covered(unit, coverage), 1), else_=0).label("maintained"))
    told = select(*columns, *since, func.count().label("units"))
    return told.select_from(tables).group_by(*columns)


def of_servers(keys: Collection[int]) -> ColumnElement[bool]:
    column = UNIT.unit_server_key
    some = [column.in_(each) for each in batches(sorted(set(keys) - {NOBODY}))]
    return or_(false(), *some, *([column.is_(None)] if NOBODY in keys else []))


def counted_units(alike: Iterable[Alike], sessions: Sessions) -> Iterator[Counted]:
    """With the verdicts that the sessions of now make of them."""
    known: dict[tuple[object, ...], Standing] = {}
    for each in alike:
        contact = sessions.contacts.get(each.session, Contact.NONE)
        stands = (each.state, each.desired, contact, each.in_maintenance, each.is_stuck)
        if stands not in known:
            known[stands] = Standing(
                each.state,
                each.desired,
                contact,
                in_maintenance=each.in_maintenance,
                is_stuck=each.is_stuck,
            )
        standing = known[stands]
        since_us = standing.since_us(
            silent_us=sessions.silent_us.get(each.session, 0),
            state_us=each.state_us,
            stuck_us=each.stuck_us,
        )
        group = Group(each.zone, each.unit_server_key, standing, each.count, since_us)
        yield Counted(group, each.session or None)
