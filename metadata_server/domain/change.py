"""Who changes something and why, and where in the one order of changes that stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from metadata_server.domain.access.role import Role
from metadata_server.domain.intent.control_unit import ControlUnitStatus
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import Contact, Health
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.operation import Operation
from metadata_server.domain.resource import Resource


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    Attributes:
        name: in the history; what the caller says of itself unless it is authenticated.
        authenticated: the caller has shown a token.
        role: what the caller may do; where nobody is asked, anything.
        program: the token is for programs.
        token: id of the token that was shown; empty: none was.
    """

    name: str
    authenticated: bool = False
    role: Role = Role.ADMIN
    program: bool = False
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A call that may change something.

    Attributes:
        method: of the protocol (`ControlUnits.UpdateControlUnit`).
        request_id: stands in the log and in the history; empty: nobody called.
        is_repeatable: whether its caller says by this id that it is the same call again.
        payload_hash: of what was asked, to tell a repetition from a reuse of its id.
        client: the program that called, as it said: `mds/0.1.0`.
        trace: where the call stands in a trace, as W3C's `traceparent`; empty: in none.
    """

    principal: Principal
    method: str
    reason: str = ""
    request_id: str = ""
    is_repeatable: bool = True
    payload_hash: str = ""
    client: str = ""
    trace: str = ""


History = tuple[str, int]
"""A store, and an epoch of it. In the next epoch, after a restore, versions of templates are given
out again with other content, and what came after the backup is there no more: what is kept in
memory for good is kept of one history."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A point in the order of changes: a store, an epoch of it, a revision."""

    store_id: str
    epoch: int
    revision: int

    @property
    def history(self) -> History:
        """The order of changes that it is a point of."""
        return self.store_id, self.epoch


class Action(StrEnum):
    """What happened to a resource."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


Subject = Resource | ControlUnitStatus | Session | Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one revision did to one resource.

    Attributes:
        id: that the resource had at this revision, or last, when it is DELETED.
        id_before: that it had just before; empty: there was none.
        subject: the resource as of this revision; None for DELETED.
        author: empty for what units report.
        contact: of the session of a ControlUnitStatus, when the change was read.
        health: the verdict about a ControlUnitStatus, when the change was read.
    """

    revision: int
    ordinal: int
    time_us: int
    kind: Kind
    key: int
    id: str
    id_before: str
    action: Action
    subject: Subject | None
    author: str = ""
    reason: str = ""
    contact: Contact = Contact.NONE
    health: Health = Health.GOOD
