"""Where SQL finds what unit servers and agents last said: looked up for each of them, for they are
few beside the units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, String, and_, case, func, select

from metadata_server.domain.life.state import Contact
from metadata_server.domain.names import Kind
from metadata_server.store import schema
from metadata_server.store.agents.agent_tables import agent_status
from metadata_server.store.filter import sources
from metadata_server.store.filter.scope import Scope
from metadata_server.store.filter.sources import Source
from metadata_server.store.life.observer import observer
from metadata_server.store.schema import agent, lease, unit_server, unit_server_status

SESSION, REPORT = schema.session.c, agent_status.c


def of_session(value: ColumnElement[Any]) -> ScalarSelect[Any]:
    """Something of the last session of a unit server."""
    return (
        select(value)
        .select_from(unit_server_status)
        .join(schema.session, SESSION.id == unit_server_status.c.session)
        .outerjoin(lease, lease.c.session == SESSION.id)
        .where(unit_server_status.c.key == unit_server.c.key)
        .correlate(unit_server)
        .scalar_subquery()
    )


def contact(scope: Scope, kind: Kind) -> ColumnElement[Any]:
    """The contact of unit servers, or of agents."""
    found = of_reports(scope) if kind is Kind.AGENT else of_leases(scope)
    return func.coalesce(found, Contact.NONE.value)


def of_leases(scope: Scope) -> ColumnElement[Any]:
    """The contact of a unit server, as `contact_of` has it."""
    seen = observer(scope.unit)
    told: ColumnElement[Any] = lease.c.contact
    if scope.unit.now_us < seen.blind_until_us:
        unheard = and_(lease.c.ended.is_(False), lease.c.beat_us < seen.blind_since_us)
        told = case((unheard, Contact.UNKNOWN.value), else_=told)
    return of_session(told)


def of_reports(scope: Scope) -> ColumnElement[Any]:
    """The contact of an agent, as `contact_in` has it."""
    seen, now_us = observer(scope.unit), scope.unit.now_us
    lost = case((REPORT.lease_end_us <= now_us, Contact.LOST.value))
    if now_us < seen.blind_until_us:
        lost = case((REPORT.beat_us < seen.blind_since_us, Contact.UNKNOWN.value))
    suspect = case((REPORT.beat_us < now_us - scope.suspect_us, Contact.SUSPECT.value))
    open_ = func.coalesce(lost, suspect, Contact.ALIVE.value)
    return of_report(case((REPORT.ended.is_(True), Contact.NONE.value), else_=open_))


def of_report(value: ColumnElement[Any]) -> ScalarSelect[Any]:
    """Something of the last report of an agent."""
    return select(value).where(REPORT.agent_key == agent.c.key).correlate(agent).scalar_subquery()


SAID: Mapping[Kind, Mapping[str, ColumnElement[Any]]] = {
    Kind.UNIT_SERVER: {
        "host": of_session(SESSION.host),
        "address": of_session(SESSION.address),
        "version": of_session(SESSION.version),
        "started": of_session(SESSION.start_time_us),
        "ended": of_session(SESSION.end_time_us),
    },
    Kind.AGENT: {
        "runs_on": of_report(REPORT.host),
        "version": of_report(REPORT.version),
        "started": of_report(REPORT.start_us),
        "reported": of_report(REPORT.beat_us),
    },
}
"""What each has said; NULL: nothing."""


def source_of(value: ColumnElement[Any]) -> Source:
    return sources.texts(value) if isinstance(value.type, String) else sources.times(value)


def in_contact(kind: Kind) -> Source:
    return lambda scope, term: contact(scope, kind).in_(sorted(map(str, term.wanted)))


SAID_SOURCES: Mapping[Kind, Mapping[str, Source]] = {
    kind: {
        "contact": in_contact(kind),
        **{name: source_of(value) for name, value in values.items()},
    }
    for kind, values in SAID.items()
}
