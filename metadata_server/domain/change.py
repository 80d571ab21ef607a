"""Who changes something and why, and where in the one order of changes that stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. Until log-in exists, the name is what the caller says of itself."""

    name: str
    authenticated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A call that may change something.

    Attributes:
        method: of the protocol (`ControlUnits.UpdateControlUnit`).
        request_id: makes a repeated call safe; empty: the caller does not repeat.
        payload_hash: of what was asked, to tell a repetition from a reuse of its id.
    """

    principal: Principal
    method: str
    reason: str = ""
    request_id: str = ""
    payload_hash: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A point in the order of changes: a store, an epoch of it, a revision."""

    store_id: str
    epoch: int
    revision: int


class Action(StrEnum):
    """What happened to a resource."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Change:
    """What one revision did to one resource: an event.

    Attributes:
        kind: word of the kind.
        image: the content as builtins, as it was after; empty for DELETED.
        author: empty for what units report.
    """

    revision: int
    ordinal: int
    time_us: int
    kind: str
    key: int
    action: Action
    author: str = ""
    reason: str = ""
    image: Mapping[str, object] = field(default_factory=dict)
