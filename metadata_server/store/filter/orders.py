"""Orders of lists that no index has: what each thing is sorted by is worked out, and all that
passes is sorted. Of units, only what few of them have, or what a filter has made few, is; the
other kinds are few."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, String, case, cast, func, select

from metadata_server.domain.filter.unit_keys import HOLDS_SINCE
from metadata_server.domain.intent.template import VersionState
from metadata_server.domain.life.state import WORST_CONTACT_FIRST
from metadata_server.domain.names import Kind
from metadata_server.store.filter import documents
from metadata_server.store.filter.said import SAID, contact
from metadata_server.store.filter.scope import Scope
from metadata_server.store.schema import KEY, control_unit, maintenance, template, unit_server

Order = Callable[[Scope], ColumnElement[Any]]
"""What rows are sorted by; NULL, 0 and an empty text: there is nothing."""


def told(value: ColumnElement[Any]) -> Order:
    return lambda _: value


def text_in(body: Column[str], path: str, absent: str = "") -> Order:
    return lambda scope: func.coalesce(documents.text_at(scope, body, path), absent)


def time_in(body: Column[str], path: str) -> Order:
    return told(cast(documents.number_at(body, path), KEY))  # MariaDB makes a float of it


def referred(column: Column[Any], kind: Kind) -> Order:
    """The id of what rows refer to."""

    def order(scope: Scope) -> ColumnElement[Any]:
        named = scope.names_of(kind)
        return select(named.c.id).where(named.c.key == column).scalar_subquery()

    return order


def said_by(kind: Kind) -> dict[str, Order]:
    """What unit servers or agents last said; who is lost comes first."""
    ranks = {word.value: rank for rank, word in enumerate(WORST_CONTACT_FIRST, start=1)}
    return {
        "contact": lambda scope: case(ranks, value=contact(scope, kind)),
        **{name: told(value) for name, value in SAID[kind].items()},
    }


TEMPLATE, MAINTENANCE = template.c, maintenance.c
ORDERS: Mapping[Kind, Mapping[str, Order]] = {
    Kind.CONTROL_UNIT: {
        HOLDS_SINCE: lambda scope: scope.holds_since,
        "template": referred(control_unit.c.template_key, Kind.TEMPLATE),
        "unit_server": referred(control_unit.c.unit_server_key, Kind.UNIT_SERVER),
    },
    Kind.UNIT_SERVER: {
        "agent": referred(unit_server.c.agent_key, Kind.AGENT),
        **said_by(Kind.UNIT_SERVER),
    },
    Kind.AGENT: said_by(Kind.AGENT),
    Kind.MAINTENANCE: {
        "begin": time_in(MAINTENANCE.body, "$.begin_time_us"),
        "end": told(MAINTENANCE.end_time_us),
    },
    Kind.TEMPLATE: {
        "version": told(TEMPLATE.version),
        "version_state": text_in(TEMPLATE.body, "$.version_state", VersionState.PUBLISHED),
        "group": text_in(TEMPLATE.body, "$.group"),
        "implementation": text_in(TEMPLATE.body, "$.implementation"),
        "interface": text_in(TEMPLATE.body, "$.interface"),
    },
}


def order_of(kind: Kind, key: str, scope: Scope) -> ColumnElement[Any] | None:
    """What a list of a kind is sorted by, where no index has that; never NULL."""
    order = ORDERS.get(kind, {}).get(key)
    if order is None:
        return None
    value = order(scope)
    return func.coalesce(value, "" if isinstance(value.type, String) else 0)
