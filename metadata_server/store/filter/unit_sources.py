"""Where SQL finds what filters ask of control units."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    func,
    select,
    union_all,
)

from metadata_server.domain.filter.expression import Term, terms_of
from metadata_server.domain.filter.parser import parse_filter
from metadata_server.domain.filter.unit_keys import HOLDS_SINCE, PRESENT_CONDITIONS
from metadata_server.domain.life.condition import (
    IN_MAINTENANCE,
    KEEPS_DYING,
    OUT_OF_DATE,
    ConditionStatus,
)
from metadata_server.domain.life.state import Health, State
from metadata_server.domain.names import Kind
from metadata_server.store.agents.launched import hosted_by_dying
from metadata_server.store.any_of import any_of
from metadata_server.store.filter import sources
from metadata_server.store.filter.compiling import condition_of
from metadata_server.store.filter.kind_sources import common_sources
from metadata_server.store.filter.scope import Scope
from metadata_server.store.filter.sources import Source
from metadata_server.store.schema import (
    control_unit,
    control_unit_status,
    unit_condition,
)
from metadata_server.store.unit_of_work import UnitOfWork

UNIT, STATUS = control_unit.c, control_unit_status.c
PRESENT = frozenset(PRESENT_CONDITIONS)


def holds(scope: Scope, term: Term) -> ColumnElement[bool]:
    """That one of some conditions is true of a unit."""
    if scope.led_by and term in scope.led_by:
        # A table of its own: MariaDB would ask a bare union again for each unit.
        return UNIT.key.in_(select(those_holding(scope, term).subquery().c.key))
    return any_of(condition(scope, term, str(type_)) for type_ in dict.fromkeys(term.wanted))


def those_holding(scope: Scope, term: Term) -> CompoundSelect[Any]:
    """Keys of the units of which one of some conditions is true, each source of conditions by its
    own index; a unit may be there twice."""
    wanted = {str(each) for each in term.wanted}
    stored = select(unit_condition.c.key).where(is_true(wanted - PRESENT))
    asked = (condition(scope, term, each) for each in sorted(wanted & PRESENT))
    return union_all(stored, *(select(UNIT.key).where(each) for each in asked))


def is_true(types: Collection[str]) -> ColumnElement[bool]:
    """Of stored conditions: that it is of one of some types, and true."""
    table = unit_condition.c
    return and_(table.type.in_(sorted(types)), table.status == ConditionStatus.TRUE.value)


def condition(scope: Scope, term: Term, type_: str) -> ColumnElement[bool]:
    if type_ == OUT_OF_DATE:
        return scope.behind
    if type_ == IN_MAINTENANCE:
        return scope.maintained
    if type_ == KEEPS_DYING:
        return hosted_by_dying()
    held = select(unit_condition.c.key).where(is_true([type_]))
    return scope.checked(UNIT.key, term).in_(held)


def in_contact(scope: Scope, term: Term) -> ColumnElement[bool]:
    return scope.has_contact(*map(str, term.wanted))


def of_health(scope: Scope, term: Term) -> ColumnElement[bool]:
    found = scope.health.in_(sorted(map(str, term.wanted)))
    return and_(scope.may_be_bad, found) if set(term.wanted) == {Health.BAD.value} else found


BODY = UNIT.body
DECLARED_SOURCES: Mapping[str, Source] = {
    **common_sources(control_unit),
    "zone": sources.groups(UNIT.id),
    "template": sources.references(UNIT.template_key, Kind.TEMPLATE),
    "template_version": sources.numbers(UNIT.template_version),
    "unit_server": sources.references(UNIT.unit_server_key, Kind.UNIT_SERVER),
    "desired": sources.own_words(UNIT.desired_state),
    "level": sources.body_number(BODY, "$.level"),
    "overrides": sources.body_count(BODY, "$.overrides"),
    "override": sources.body_list(BODY, "$.overrides", ".attribute"),
    "driver": sources.body_list(BODY, "$.drivers", ".name"),
    "parameter": sources.body_names(BODY, "$.parameters"),
    "requires": sources.body_list(BODY, "$.requires"),
    "after": sources.body_list(BODY, "$.after"),
}
REPORTED_SOURCES: Mapping[str, Source] = {
    "state": sources.words(STATUS.state, State.UNSPECIFIED),
    "since": sources.times(STATUS.state_time_us, "since"),
    "message": sources.texts(STATUS.message),
    "unfenced": sources.flags(STATUS.unfenced),
    "reached_generation": sources.numbers(func.coalesce(STATUS.reached_generation, 0)),
    "condition": holds,
    HOLDS_SINCE: lambda scope, term: sources.times(scope.holds_since)(scope, term),
    "contact": in_contact,
    "health": of_health,
    "maintenance": lambda scope, term: sources.truth(scope.maintained, term),
}
UNIT_SOURCES: Mapping[str, Source] = {**DECLARED_SOURCES, **REPORTED_SOURCES}
OF_STATUS = REPORTED_SOURCES.keys() - {"condition", HOLDS_SINCE, "maintenance"}
"""Keys for which units are joined with their statuses."""


def joined(query: Select[Any], names: Collection[str]) -> Select[Any]:
    """A query of units, with the tables that some keys are looked up in."""
    if OF_STATUS.isdisjoint(names):
        return query
    return query.outerjoin(control_unit_status, STATUS.key == UNIT.key)


def units_passing(unit: UnitOfWork, text: str) -> ColumnElement[bool]:
    """A condition that units pass which pass a filter now.

    Raises:
        Refused: INVALID_FILTER.
    """
    expression = parse_filter(text, Kind.CONTROL_UNIT)
    scope = Scope(unit, unit.position.revision, unit.now_us)
    condition = condition_of(expression, UNIT_SOURCES, scope)
    names = {term.key.name for term in terms_of(expression)}
    if OF_STATUS.isdisjoint(names):
        return condition
    return UNIT.key.in_(joined(select(UNIT.key).where(condition), names).correlate(None))
