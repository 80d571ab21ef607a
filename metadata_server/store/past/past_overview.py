"""The overview as it was at a revision: every unit under the name that it had then, with what had
been said of it by then.

Units whose rows are as old are counted by the database, as those of now are; of those that have
changed since, the last image counts. What was in maintenance is told by no list of the past, and
not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select

from metadata_server.domain.change import Position
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.condition import NOT_CONVERGING
from metadata_server.domain.life.overview import (
    ABNORMAL,
    AbnormalUnit,
    Overview,
    Tally,
    rank,
    unit_servers_of,
    zones_of,
)
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind, zone_of
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.store.codec import data_of
from metadata_server.store.keys import batches
from metadata_server.store.life.counting import (
    CONDITION,
    NOBODY,
    STATUS,
    UNIT,
    Alike,
    Counted,
    Sessions,
    alike_units,
    counted_units,
    stuck_units,
)
from metadata_server.store.life.overview import abnormal_units
from metadata_server.store.life.status_images import conditions_from
from metadata_server.store.past import history
from metadata_server.store.past.past import names_at, resources_at
from metadata_server.store.past.past_statuses import sessions_at, statuses_at
from metadata_server.store.schema import control_unit, control_unit_status, name, status_history
from metadata_server.store.unit_of_work import UnitOfWork


class Likeness(NamedTuple):
    """All that units which stand alike have in common."""

    zone: str
    unit_server_key: int
    desired: State
    state: State
    session: str
    is_stuck: bool


@dataclass(slots=True)
class Like:
    """Units that stand alike: their keys by id, and since when the first is in its state."""

    keys: dict[str, int] = field(default_factory=dict)
    state_us: int = 0


class Said(NamedTuple):
    """What a unit had last said."""

    state: State
    session: str
    state_us: int
    is_stuck: bool


NOTHING_COVERED = Coverage()
NOTHING_SAID = Said(State.UNSPECIFIED, "", 0, is_stuck=False)


def past_overview(
    unit: UnitOfWork, position: Position, time_us: int, *, abnormal_limit: int
) -> Overview:
    """
    Args:
        position: of which everything is kept.
        time_us: when that was.
    """
    revision = position.revision
    sessions = sessions_then(unit, revision)
    stuck, as_then = stuck_units(unit), is_as_at(revision)
    kept = alike_units(unit, NOTHING_COVERED, some_are_stuck=stuck is not None, wanted=as_then)
    counted_kept = list(counted_units(kept, sessions))
    alike = changed_alike(unit, revision)
    counted = list(counted_units((summed(key, of) for key, of in alike.items()), sessions))
    groups = [each.group for each in (*counted_kept, *counted)]
    changed = list(zip(counted, alike.values(), strict=True))
    servers = {each.unit_server_key: each.unit_server for each in sessions.all}
    abnormal = [
        *abnormal_units(
            unit, counted_kept, sessions.contacts,
            stuck=stuck, wanted=as_then, limit=abnormal_limit,
        ),
        *abnormal_then(unit, changed, servers, revision, limit=abnormal_limit),
    ]  # fmt: skip
    return Overview(
        position=position,
        time_us=time_us,
        tally=Tally.of(groups),
        zones=zones_of(groups),
        unit_servers=unit_servers_of(sessions.all, groups, agents=sessions.agents),
        abnormal=tuple(sorted(abnormal, key=worst_first)[:abnormal_limit]),
    )


def is_as_at(revision: int) -> ColumnElement[bool]:
    """Passed by units whose rows are as old: what they were then is what these say. A status goes
    only with its unit, so one that is not there was not there then."""
    told = func.coalesce(STATUS.revision, 0)
    return and_(UNIT.revision <= revision, told <= revision)


def worst_first(of: AbnormalUnit) -> tuple[int, bool, str]:
    return rank(of.standing.health), not of.standing.state.is_error, of.id


def sessions_then(unit: UnitOfWork, revision: int) -> Sessions:
    """The last session of every unit server."""
    keys = {
        row.id: row.key for row in unit.connection.execute(names_at(Kind.UNIT_SERVER, revision))
    }
    found = sessions_at(unit, keys, revision)
    declared = resources_at(unit, UnitServer, keys.values(), revision)
    return Sessions(
        found,
        {each.id: each.end_time_us for each in found if each.end_time_us},
        {
            key: each.launch.agent
            for key, each in declared.items()
            if each.launch and each.launch.agent
        },
    )


def changed_alike(unit: UnitOfWork, revision: int) -> Mapping[Likeness, Like]:
    """Every unit that was there and has changed since, once, with those that stood as it did."""
    rows = unit.connection.execute(changed_since(revision)).all()
    desired = desired_then(unit, rows, revision)
    said = said_then(unit, rows, revision)
    found: dict[Likeness, Like] = {}
    for row in rows:
        own = said.get(row.key, NOTHING_SAID)
        server = row.unit_server_key or NOBODY
        like = found.setdefault(
            Likeness(
                zone_of(row.id),
                server,
                desired.get(row.key, State.UNSPECIFIED),
                own.state,
                own.session,
                own.is_stuck,
            ),
            Like(),
        )
        like.keys[row.id] = row.key
        if own.state_us:
            like.state_us = min(own.state_us, like.state_us or own.state_us)
    return found


def changed_since(revision: int) -> Any:
    """Those that were there and are otherwise or gone, with what their rows say now."""
    return (
        names_at(Kind.CONTROL_UNIT, revision)
        .add_columns(
            name.c.unit_server_key,
            UNIT.desired_state,
            UNIT.revision.label("declared"),
            STATUS.state,
            STATUS.session,
            STATUS.state_time_us,
            STATUS.revision.label("told"),
        )
        .select_from(
            name.outerjoin(control_unit, UNIT.key == name.c.key).outerjoin(
                control_unit_status, STATUS.key == name.c.key
            )
        )
        .where(or_(UNIT.key.is_(None), not_(is_as_at(revision))))
    )


def desired_then(unit: UnitOfWork, rows: Iterable[Any], revision: int) -> Mapping[int, State]:
    """What people wanted units to be, by key."""
    found: dict[int, State] = {}
    changed = []
    for row in rows:
        if row.declared is not None and row.declared <= revision:
            found[row.key] = State(row.desired_state)
        else:
            changed.append(row.key)
    for key, image in history.images_at(unit, changed, revision).items():
        found[key] = State(image.data.get("desired_state", State.UNSPECIFIED))
    return found


def said_then(unit: UnitOfWork, rows: Iterable[Any], revision: int) -> Mapping[int, Said]:
    """What units had last said, by key; those that had said nothing are not there."""
    stuck = set(
        unit.connection.scalars(select(CONDITION.key).where(CONDITION.type == NOT_CONVERGING))
    )
    found: dict[int, Said] = {}
    changed = []
    for row in rows:
        if row.told is not None and row.told <= revision:
            found[row.key] = Said(
                State(row.state), row.session, row.state_time_us, row.key in stuck
            )
        else:
            changed.append(row.key)
    for some in batches(sorted(changed)):
        for key, session, time_us, image in unit.connection.execute(last_said(some, revision)):
            found[key] = said_in(session, time_us, data_of(image))
    return found


def last_said(keys: list[int], revision: int) -> Select[Any]:
    """The last images of the statuses of some units at or before a revision, and no more."""
    last = history.last_revision(status_history, revision).label("revision")
    each = select(name.c.key, last).where(name.c.key.in_(keys)).distinct().subquery()
    table = status_history.c
    same = and_(table.key == each.c.key, table.revision == each.c.revision)
    return (
        select(table.key, table.session, table.time_us, table.image)
        .select_from(status_history)
        .join(each, same)
    )


def said_in(session: str, time_us: int, image: Mapping[str, Any]) -> Said:
    """See `status_images`."""
    held = conditions_from(image.get("conditions", ()), time_us)
    return Said(
        State(image.get("state", State.UNSPECIFIED)),
        session,
        time_us - image.get("age_us", 0),
        any(each.type == NOT_CONVERGING for each in held),
    )


def summed(key: Likeness, of: Like) -> Alike:
    return Alike(
        key.zone,
        key.unit_server_key,
        key.desired,
        key.state,
        key.session,
        in_maintenance=False,
        is_stuck=key.is_stuck,
        state_us=of.state_us,
        stuck_us=0,
        count=len(of.keys),
    )


def abnormal_then(
    unit: UnitOfWork,
    groups: Sequence[tuple[Counted, Like]],
    servers: Mapping[int, str],
    revision: int,
    *,
    limit: int,
) -> list[AbnormalUnit]:
    """The first of those that were not as they should be, worst first, then by id.

    Args:
        servers: ids of unit servers, by key.
    """
    ranked = sorted(
        (rank(counted.group.standing.health), not counted.group.standing.state.is_error, id, number)
        for number, (counted, like) in enumerate(groups)
        if counted.group.standing.health in ABNORMAL
        for id in like.keys
    )[:limit]
    keys = {id: groups[number][1].keys[id] for _, _, id, number in ranked}
    statuses = {each.id: each for each in statuses_at(unit, keys, revision)}
    found = []
    for _, _, id, number in ranked:
        group, own = groups[number][0].group, statuses[id]
        server = servers.get(group.unit_server_key, "")
        found.append(AbnormalUnit(id, server, group.standing, own.state_time_us, own.message))
    return found
