"""Reading lives: newest first, with the states that they went through."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.engine import RowMapping

from metadata_server.domain.filter.asked_list import AskedList, ListPage
from metadata_server.domain.intent.control_unit import PassedState
from metadata_server.domain.life.instantiation import Instantiation, LifeKey
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.names import Kind
from metadata_server.store.filter.record_sources import INSTANTIATIONS
from metadata_server.store.keys import batches
from metadata_server.store.life.status_images import history_with_sessions, status_of
from metadata_server.store.schema import (
    control_unit_status,
    instantiation,
    name,
    session,
    status_history,
)
from metadata_server.store.unit_of_work import UnitOfWork

MOST_IMAGES = 20_000
"""Images of states that one page reads; of a unit that flaps, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeFilter:
    """Which lives; a filter that is None lets all pass.

    Attributes:
        control_units: keys.
        unit_servers: keys.
        since_us: lives that had not ended before.
        until_us: lives that had begun by then.
    """

    control_units: Collection[int] | None = None
    unit_servers: Collection[int] | None = None
    since_us: int | None = None
    until_us: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        table = instantiation.c
        found: list[ColumnElement[bool]] = []
        if self.control_units is not None:
            found.append(table.control_unit_key.in_(sorted(self.control_units)))
        if self.unit_servers is not None:
            found.append(session.c.unit_server_key.in_(sorted(self.unit_servers)))
        if self.since_us is not None:
            found.append(or_(table.end_time_us.is_(None), table.end_time_us >= self.since_us))
        if self.until_us is not None:
            found.append(table.begin_time_us <= self.until_us)
        return found


def keys_ever_named(unit: UnitOfWork, kind: Kind, resource_id: str) -> list[int]:
    """Keys of everything that an id has named, now or before."""
    query = select(name.c.key).where(name.c.kind == kind.value, name.c.id == resource_id)
    return [row.key for row in unit.connection.execute(query)]


def life(unit: UnitOfWork, key: LifeKey) -> Instantiation | None:
    query = lives_with_sessions().where(
        instantiation.c.session == key.session,
        instantiation.c.control_unit_key == key.control_unit_key,
    )
    found = lives_from(unit, unit.connection.execute(query).mappings().all())
    return found[0] if found else None


def life_page(unit: UnitOfWork, wanted: LifeFilter, asked: AskedList) -> ListPage[Instantiation]:
    """One page of lives.

    Raises:
        Refused: INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
    """
    query = lives_with_sessions().where(*wanted.conditions())
    page = INSTANTIATIONS.page(unit, query, asked)
    return ListPage(lives_from(unit, page.items), page.next_page_token)


def lives_with_sessions() -> Select[Any]:
    status = control_unit_status
    applied = func.coalesce(status.c.fingerprint, instantiation.c.fingerprint)
    return (
        select(
            instantiation.c.control_unit_key,
            instantiation.c.begin_time_us.label("begin_us"),
            instantiation.c.end_time_us.label("end_us"),
            instantiation.c.end_reason.label("why"),
            instantiation.c.template_key,
            instantiation.c.template_version,
            applied.label("applied"),
            session,
        )
        .join(session, session.c.id == instantiation.c.session)
        .outerjoin(
            status,
            and_(
                status.c.key == instantiation.c.control_unit_key,
                status.c.session == instantiation.c.session,
                instantiation.c.end_time_us.is_(None),
            ),
        )
    )


def lives_from(unit: UnitOfWork, rows: Sequence[RowMapping]) -> list[Instantiation]:
    unit.keys.find_ids(Kind.CONTROL_UNIT, (row["control_unit_key"] for row in rows))
    unit.keys.find_ids(Kind.UNIT_SERVER, (row["unit_server_key"] for row in rows))
    unit.keys.find_ids(Kind.TEMPLATE, (row["template_key"] for row in rows))
    states = states_of(unit, [LifeKey(row["id"], row["control_unit_key"]) for row in rows])
    return [
        Instantiation(
            control_unit=unit.keys.id_of(Kind.CONTROL_UNIT, row["control_unit_key"]),
            control_unit_key=row["control_unit_key"],
            session=Session(
                id=row["id"],
                unit_server=unit.keys.id_of(Kind.UNIT_SERVER, row["unit_server_key"]),
                unit_server_key=row["unit_server_key"],
                incarnation=row["incarnation"],
                host=row["host"],
                address=row["address"],
                pid=row["pid"],
                version=row["version"],
                start_time_us=row["start_time_us"],
            ),
            begin_time_us=row["begin_us"],
            end_time_us=row["end_us"],
            end_reason=None if row["why"] is None else EndReason(row["why"]),
            template=unit.keys.id_of(Kind.TEMPLATE, row["template_key"]),
            template_version=row["template_version"],
            fingerprint=row["applied"],
            states=tuple(
                begun(each, row["begin_us"])
                for each in states.get(LifeKey(row["id"], row["control_unit_key"]), ())
            ),
        )
        for row in rows
    ]


def begun(state: PassedState, begin_us: int) -> PassedState:
    """A state within a life: what was reached before the life began, by a unit that came up
    from its copy on disk or outlived a session, is its state from the beginning."""
    return state if state.time_us >= begin_us else replace(state, time_us=begin_us)


def states_of(unit: UnitOfWork, wanted: Collection[LifeKey]) -> dict[LifeKey, list[PassedState]]:
    """The states of lives, oldest first; one that is told twice counts once."""
    found: dict[LifeKey, list[PassedState]] = {}
    room = MOST_IMAGES
    for some in batches(sorted((each.control_unit_key, each.session) for each in wanted)):
        pair: Any = tuple_(status_history.c.key, status_history.c.session)
        query = (
            history_with_sessions()
            .where(
                status_history.c.key.in_(sorted({key for key, _ in some})),
                pair.in_(some),
                status_history.c.kind == Kind.CONTROL_UNIT_STATUS.value,
            )
            .order_by(status_history.c.revision.desc())
            .limit(room)
        )
        rows = unit.connection.execute(query).mappings().all()
        room -= len(rows)
        for row in reversed(rows):
            status = status_of(dict(row), id="", unit_server="")
            states = found.setdefault(LifeKey(row["session"], row["key"]), [])
            reached = PassedState(status.state, status.state_time_us, status.message)
            for each in (*status.passed, reached):
                if not states or (states[-1].state, states[-1].message) != (
                    each.state,
                    each.message,
                ):
                    states.append(each)
        if not room:
            break
    return found
