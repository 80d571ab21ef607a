"""What agents said last: one row an agent, written anew by each report."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.engine import RowMapping

from metadata_server.domain.life.agent_report import AgentReport, AgentStatus, UnitServerProcess
from metadata_server.domain.life.session import Lease, Observer, due_contact
from metadata_server.domain.life.state import Contact
from metadata_server.domain.names import Kind
from metadata_server.store.agents.agent_tables import agent_status
from metadata_server.store.codec import build, data_of, plain, text_of
from metadata_server.store.keys import batches
from metadata_server.store.life.observer import observer
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_missing

FIRST = {
    "incarnation": "",
    "host": "",
    "pid": 0,
    "version": "",
    "start_us": 0,
    "beat_us": 0,
    "lease_end_us": 0,
    "ended": True,
    "processes": text_of({"processes": []}),
}


def lock_agent_status(unit: UnitOfWork, agent_key: int, *, suspect_us: int) -> AgentStatus:
    """What an agent said last, its row locked; one that never came has an empty one."""
    query = select(agent_status).where(agent_status.c.agent_key == agent_key).with_for_update()
    row = unit.connection.execute(query).mappings().first()
    if row is None:
        insert_missing(unit.connection, agent_status, [{"agent_key": agent_key, **FIRST}])
        row = unit.connection.execute(query).mappings().one()
    return status_from(unit, row, observer(unit), suspect_us=suspect_us)


def agent_status_of(unit: UnitOfWork, agent_key: int, *, suspect_us: int) -> AgentStatus:
    """What an agent that is declared said last."""
    found = agent_statuses_of(unit, [agent_key], suspect_us=suspect_us)
    return found.get(agent_key) or AgentStatus(agent=unit.keys.id_of(Kind.AGENT, agent_key))


def agent_statuses_of(
    unit: UnitOfWork, agent_keys: Iterable[int], *, suspect_us: int
) -> dict[int, AgentStatus]:
    """What agents said last, by key, of those that ever came."""
    seen = observer(unit)
    found: dict[int, AgentStatus] = {}
    for some in batches(sorted(set(agent_keys))):
        query = select(agent_status).where(agent_status.c.agent_key.in_(some))
        for row in unit.connection.execute(query).mappings().all():
            found[row["agent_key"]] = status_from(unit, row, seen, suspect_us=suspect_us)
    return found


def write_agent_status(
    unit: UnitOfWork,
    agent_key: int,
    said: AgentReport,
    processes: Iterable[UnitServerProcess],
    *,
    start_us: int,
    lease_us: int,
) -> None:
    """Takes a report down, in the row that `lock_agent_status` has locked."""
    writing = agent_status.update().where(agent_status.c.agent_key == agent_key)
    unit.connection.execute(
        writing.values(
            incarnation=said.incarnation,
            host=said.host,
            pid=said.pid,
            version=said.version,
            start_us=start_us,
            beat_us=unit.now_us,
            lease_end_us=unit.now_us + lease_us,
            ended=said.ends,
            processes=text_of({"processes": [plain(each) for each in processes]}),
        )
    )


def status_from(
    unit: UnitOfWork, row: RowMapping, seen: Observer, *, suspect_us: int
) -> AgentStatus:
    return AgentStatus(
        agent=unit.keys.id_of(Kind.AGENT, row["agent_key"]),
        contact=contact_in(row, seen, unit.now_us, suspect_us=suspect_us),
        incarnation=row["incarnation"],
        host=row["host"],
        pid=row["pid"],
        version=row["version"],
        start_time_us=row["start_us"],
        report_time_us=row["beat_us"],
        processes=processes_in(row["processes"]),
    )


def contact_in(row: RowMapping, seen: Observer, now_us: int, *, suspect_us: int) -> Contact:
    """The contact of an agent by its lease, which a blind observer lets nobody lose."""
    if row["ended"]:
        return Contact.NONE
    lease = Lease("", row["lease_end_us"], row["beat_us"], ended=False)
    return due_contact(lease, seen, now_us, suspect_us)


def processes_in(text: str) -> tuple[UnitServerProcess, ...]:
    found: tuple[UnitServerProcess, ...] = build(
        tuple[UnitServerProcess, ...], data_of(text)["processes"]
    )
    return found
