"""What unit servers and agents last said, beside what people declare of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from metadata_server.domain.filter.subject import ProgramSubject
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.agent_report import AgentStatus
from metadata_server.domain.life.session import Session, contact_of
from metadata_server.store.agents.agent_statuses import agent_statuses_of
from metadata_server.store.life.observer import observer
from metadata_server.store.life.sessions import sessions_of
from metadata_server.store.unit_of_work import UnitOfWork


def in_touch(unit: UnitOfWork, sessions: Sequence[Session]) -> list[Session]:
    """Last sessions with their contact as it is now, blindness of the observer included."""
    keys = [session.unit_server_key for session in sessions]
    leases = {key: lease for key, (_, lease) in sessions_of(unit, keys).items()}
    seen = observer(unit)
    return [
        replace(one, contact=contact_of(one, leases.get(one.unit_server_key), seen, unit.now_us))
        for one in sessions
    ]


def servers_with_sessions(
    unit: UnitOfWork, servers: Mapping[int, UnitServer]
) -> dict[int, ProgramSubject]:
    """Unit servers with their last sessions as they are now; by key, as given."""
    held = in_touch(unit, [session for session, _ in sessions_of(unit, servers).values()])
    said = {each.unit_server_key: each for each in held}
    return {
        key: ProgramSubject(
            declared=each,
            said=said.get(key) or Session(id="", unit_server=each.id, unit_server_key=key),
        )
        for key, each in servers.items()
    }


def agents_with_reports(
    unit: UnitOfWork, agents: Mapping[int, Agent], *, suspect_us: int
) -> dict[int, ProgramSubject]:
    """Agents with their last reports; by key, as given."""
    said = agent_statuses_of(unit, agents, suspect_us=suspect_us)
    return {
        key: ProgramSubject(declared=each, said=said.get(key) or AgentStatus(agent=each.id))
        for key, each in agents.items()
    }
