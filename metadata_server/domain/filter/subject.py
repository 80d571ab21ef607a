"""What a filter looks at, where that is more than one resource."""

from __future__ import annotations

from dataclasses import dataclass

from metadata_server.domain.change_set import ChangeSet, ToldChange
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.agent_report import AgentStatus
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Contact, Health


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSubject:
    """A control unit: what people declare of it, and what it reported.

    Attributes:
        declared, status: None: it is not asked for.
    """

    declared: ControlUnit | None = None
    status: ControlUnitStatus | None = None
    contact: Contact = Contact.NONE
    health: Health = Health.GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSubject:
    """A unit server or an agent: what people declare of it, and what it last said.

    Attributes:
        said: with the contact of now.
    """

    declared: UnitServer | Agent
    said: Session | AgentStatus


def change_set_of(subject: ChangeSet | ToldChange) -> ChangeSet:
    return subject.change_set if isinstance(subject, ToldChange) else subject
