"""What control units and unit servers had last said by a revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata_server.domain.change import Subject
from metadata_server.domain.intent.control_unit import ControlUnitStatus
from metadata_server.domain.life.session import Session
from metadata_server.domain.names import Kind
from metadata_server.store.keys import TUPLES, batches, is_one_of
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.life.sessions import sessions_of
from metadata_server.store.life.status_images import history_with_sessions, session_of, status_of
from metadata_server.store.life.statuses import statuses_of
from metadata_server.store.past.history import last_revisions
from metadata_server.store.past.past import resources_at
from metadata_server.store.schema import status_history
from metadata_server.store.unit_of_work import UnitOfWork


def statuses_at(
    unit: UnitOfWork, keys: Mapping[str, int], revision: int
) -> list[ControlUnitStatus]:
    """The statuses of units at a revision, in the order of their ids and keys given."""
    for unit_id, key in keys.items():
        unit.keys.learn(Kind.CONTROL_UNIT, unit_id, key)
    rows = statuses_of(unit, keys.values())
    unchanged = {key: status for key, status in rows.items() if status.revision <= revision}
    images = images_at(unit, set(keys.values()) - unchanged.keys(), revision)
    servers = {row["unit_server_key"] for row in images.values()} - {None}
    unit.keys.find_ids(Kind.UNIT_SERVER, servers)
    found = []
    for unit_id, key in keys.items():
        if key in unchanged:
            found.append(unchanged[key])
        elif key in images:
            server = images[key]["unit_server_key"]
            name = "" if server is None else unit.keys.id_of(Kind.UNIT_SERVER, server)
            found.append(status_of(images[key], id=unit_id, unit_server=name))
        else:
            found.append(ControlUnitStatus(id=unit_id, key=key))
    return found


def sessions_at(unit: UnitOfWork, keys: Mapping[str, int], revision: int) -> list[Session]:
    """The last sessions of unit servers at a revision, in the order given."""
    for server_id, key in keys.items():
        unit.keys.learn(Kind.UNIT_SERVER, server_id, key)
    held = sessions_of(unit, keys.values())
    unchanged = {key: one for key, (one, _) in held.items() if one.revision <= revision}
    images = images_at(unit, set(keys.values()) - unchanged.keys(), revision)
    found = []
    for server_id, key in keys.items():
        if key in unchanged:
            found.append(unchanged[key])
        elif key in images:
            found.append(session_of(images[key], unit_server=server_id))
        else:
            found.append(Session(id="", unit_server=server_id, unit_server_key=key))
    return found


def images_at(unit: UnitOfWork, keys: Iterable[int], revision: int) -> dict[int, dict[str, Any]]:
    """The last status images at or before a revision, by key; rows of `history_with_sessions`."""
    found: dict[int, dict[str, Any]] = {}
    pairs = sorted(last_revisions(unit, status_history, keys, revision).items())
    pair = (status_history.c.key, status_history.c.revision)
    for some in batches(pairs, TUPLES):
        query = history_with_sessions().where(is_one_of(pair, some))
        found |= {row["key"]: dict(row) for row in unit.connection.execute(query).mappings()}
    return found


def subjects_at(
    unit: UnitOfWork, kind: Kind, keys: Mapping[str, int], revision: int
) -> dict[int, Subject]:
    """What things of one kind were at a revision, by key, of those of some ids and keys: declared
    ones, or statuses of control units."""
    if kind is Kind.CONTROL_UNIT_STATUS:
        return {each.key: each for each in statuses_at(unit, keys, revision)}
    return dict(resources_at(unit, LAYOUTS[kind].type, keys.values(), revision))
