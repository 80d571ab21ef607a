"""Where the processes of unit servers are, for the agents that have to do with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select

from metadata_server.domain.life.agent_report import (
    Holder,
    ProcessState,
    UnitServerProcess,
    keeps_dying,
)
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.state import Contact
from metadata_server.domain.life.timing import NEVER_SUSPECT_US
from metadata_server.domain.names import Kind
from metadata_server.store.agents.agent_statuses import contact_in
from metadata_server.store.agents.agent_tables import agent_status, launched_process
from metadata_server.store.keys import batches
from metadata_server.store.life.observer import observer
from metadata_server.store.schema import control_unit, lease, session, unit_server
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows

table = launched_process
GIVEN_UP = table.c.state == ProcessState.GAVE_UP.value


def write_launched(
    unit: UnitOfWork, agent_key: int, processes: Mapping[int, UnitServerProcess]
) -> set[int]:
    """Takes down where the processes of one agent are, whose status is locked, as far as that
    has changed.

    Args:
        processes: by key of the unit server.

    Returns:
        Keys of the unit servers that have been given up, or are no longer.
    """
    query = select(table).where(table.c.agent_key == agent_key)
    found = unit.connection.execute(query).mappings()
    before = {row["unit_server_key"]: dict(row) for row in found}
    rows = {key: row_of(key, agent_key, each) for key, each in processes.items()}
    upsert_rows(
        unit.connection,
        table,
        (row for key, row in rows.items() if key not in before or before[key] != row),
    )
    for some in batches(sorted(before.keys() - rows.keys())):
        unit.connection.execute(
            table.delete().where(table.c.unit_server_key.in_(some), table.c.agent_key == agent_key)
        )
    given_up_before = {key for key, row in before.items() if is_given_up(row)}
    return given_up_before ^ {key for key, row in rows.items() if is_given_up(row)}


def row_of(key: int, agent_key: int, process: UnitServerProcess) -> dict[str, Any]:
    given_up = process.state is ProcessState.GAVE_UP
    return {
        "unit_server_key": key,
        "agent_key": agent_key,
        "state": process.state.value,
        "pid": process.pid,
        "since_us": process.state_time_us,
        "message": process.complaint if given_up else "",
    }


def is_given_up(row: Mapping[str, Any]) -> bool:
    return bool(row["state"] == ProcessState.GAVE_UP.value)


def given_up() -> Select[Any]:
    """Unit servers that the agent which is declared for them has given up."""
    is_its_own = and_(
        table.c.unit_server_key == unit_server.c.key, table.c.agent_key == unit_server.c.agent_key
    )
    return select(unit_server.c.key).join(table, is_its_own).where(GIVEN_UP)


def hosted_by_dying() -> ColumnElement[bool]:
    """A condition that control units pass whose unit server keeps dying."""
    return control_unit.c.unit_server_key.in_(given_up())


def keep_dying(unit: UnitOfWork, unit_server_keys: Iterable[int]) -> dict[int, Condition]:
    """Of unit servers that have been given up, by key, that they have been."""
    found: dict[int, Condition] = {}
    for some in batches(sorted(set(unit_server_keys))):
        query = (
            given_up()
            .add_columns(table.c.message, table.c.since_us, *LEASE_COLUMNS)
            .outerjoin(agent_status, agent_status.c.agent_key == table.c.agent_key)
            .where(unit_server.c.key.in_(some))
        )
        rows = unit.connection.execute(query).mappings().all()
        seen = observer(unit) if rows else None
        for row in rows:
            assert seen is not None
            contact = contact_in(row, seen, unit.now_us, suspect_us=NEVER_SUSPECT_US)
            in_touch = contact is Contact.ALIVE
            found[row["key"]] = keeps_dying(row["message"], row["since_us"], in_touch=in_touch)
    return found


def conditions_of_server(
    dying: Mapping[int, Condition], unit_server_key: int
) -> tuple[Condition, ...]:
    """What of `keep_dying` is about one unit server."""
    found = dying.get(unit_server_key)
    return () if found is None else (found,)


LEASE_COLUMNS = tuple(agent_status.c[name] for name in ("lease_end_us", "beat_us", "ended"))


def holders(unit: UnitOfWork, agent_key: int, own: Iterable[int]) -> list[Holder]:
    """Processes that are unit servers declared for an agent, by id of the unit server.

    Args:
        own: keys of the unit servers for which this agent has a process itself.
    """
    query = select(unit_server.c.key, unit_server.c.id).where(unit_server.c.agent_key == agent_key)
    rows = unit.connection.execute(query).all()
    declared = {row.key: str(row.id) for row in rows}
    wanted = sorted(declared.keys() - set(own))
    found: dict[int, Holder] = {}
    for some in batches(wanted):
        query = (
            select(session.c.unit_server_key, session.c.host, session.c.pid)
            .join(lease, lease.c.session == session.c.id)
            .where(session.c.unit_server_key.in_(some), lease.c.ended.is_(False))
        )
        for row in unit.connection.execute(query):
            unit_server_id = declared[row.unit_server_key]
            found[row.unit_server_key] = Holder(
                unit_server=unit_server_id, host=row.host, pid=row.pid
            )
        found |= launched_elsewhere(unit, agent_key, {key: declared[key] for key in some})
    return sorted(found.values(), key=lambda each: each.unit_server)


def launched_elsewhere(
    unit: UnitOfWork, agent_key: int, unit_servers: Mapping[int, str]
) -> dict[int, Holder]:
    """Processes that other agents, as far as they are in touch, have launched as unit servers,
    by key; also those that never register."""
    query = (
        select(table.c.unit_server_key, table.c.pid, table.c.agent_key, agent_status.c.host)
        .add_columns(*LEASE_COLUMNS)
        .join(agent_status, agent_status.c.agent_key == table.c.agent_key)
        .where(
            table.c.unit_server_key.in_(sorted(unit_servers)),
            table.c.agent_key != agent_key,
            table.c.pid != 0,
        )
    )
    rows = unit.connection.execute(query).mappings().all()
    seen = observer(unit) if rows else None
    found = {}
    for row in rows:
        assert seen is not None
        contact = contact_in(row, seen, unit.now_us, suspect_us=NEVER_SUSPECT_US)
        if contact not in {Contact.LOST, Contact.NONE}:
            key = row["unit_server_key"]
            agent_id = unit.keys.id_of(Kind.AGENT, row["agent_key"])
            found[key] = Holder(
                unit_server=unit_servers[key], host=row["host"], pid=row["pid"], agent=agent_id
            )
    return found
