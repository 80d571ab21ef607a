"""Control units counted by the database, whatever the facility's size.

Units are grouped by all that their verdict depends on; the verdict itself is the domain's, one
for each group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from metadata_server.domain.life.condition import NOT_CONVERGING
from metadata_server.domain.life.overview import Group, Standing
from metadata_server.domain.life.session import Observer, Session, contact_of
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.store.life.sessions import held_from, last_sessions
from metadata_server.store.orchestration.maintenances import covered
from metadata_server.store.schema import (
    control_unit,
    control_unit_status,
    unit_condition,
    unit_server,
)
from metadata_server.store.unit_of_work import UnitOfWork

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


def all_sessions(unit: UnitOfWork, seen: Observer) -> Sessions:
    columns = unit_server.c
    servers = unit.connection.execute(select(columns.key, columns.id, columns.agent_key)).all()
    for server in servers:
        unit.keys.learn(Kind.UNIT_SERVER, server.id, server.key)
    rows = unit.connection.execute(last_sessions()).mappings().all()
    unit.keys.find_ids(Kind.UNIT_SERVER, {row["unit_server_key"] for row in rows})
    unit.keys.find_ids(Kind.AGENT, {server.agent_key for server in servers} - {None})
    held, silent_us = {}, {}
    for row in rows:
        session, its_lease = held_from(unit, row)
        contact = contact_of(session, its_lease, seen, unit.now_us)
        told = session if contact is session.contact else replace(session, contact=contact)
        held[session.unit_server_key] = told
        if contact is not Contact.ALIVE:
            silent_us[session.id] = session.end_time_us or (its_lease.beat_us if its_lease else 0)
    return Sessions(
        [
            held.get(server.key)
            or Session(id="", unit_server=server.id, unit_server_key=server.key)
            for server in servers
        ],
        silent_us,
        {
            server.key: unit.keys.id_of(Kind.AGENT, server.agent_key)
            for server in servers
            if server.agent_key is not None
        },
    )


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


def counted_units(
    unit: UnitOfWork,
    sessions: Sessions,
    coverage: Coverage,
    *,
    by: ColumnElement[Any] = UNIT.zone,
    some_are_stuck: bool,
) -> Iterator[Counted]:
    """Every unit, once.

    Args:
        by: what the groups' zones are.
    """
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
    query = (
        select(*columns, *since, func.count().label("units")).select_from(tables).group_by(*columns)
    )
    known: dict[tuple[object, ...], Standing] = {}
    for row in unit.connection.execute(query).mappings():
        contact = sessions.contacts.get(row["session"], Contact.NONE)
        marks = (bool(row.get("maintained")), bool(row.get("stuck")))
        alike = (row["state"], row["desired_state"], contact, *marks)
        if alike not in known:
            known[alike] = Standing(
                State(row["state"] or State.UNSPECIFIED),
                State(row["desired_state"]),
                contact,
                in_maintenance=marks[0],
                is_stuck=marks[1],
            )
        standing = known[alike]
        since_us = standing.since_us(
            silent_us=sessions.silent_us.get(row["session"], 0),
            state_us=row["state_us"] or 0,
            stuck_us=row.get("stuck_us") or 0,
        )
        server = row["unit_server_key"] or 0
        yield Counted(
            Group(str(row["zone"] or ""), server, standing, row["units"], since_us),
            row["session"],
        )
