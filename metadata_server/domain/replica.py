"""The metadata servers themselves, and the database behind them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SIGN_US = 5_000_000
"""Time between two signs of life of a replica."""
LOST_US = 15_000_000
"""Without a sign for so long, a replica that did not say that it stops is lost."""
SHOWN_US = 86_400_000_000
"""For so long those that are gone are shown."""


class ReplicaState(StrEnum):
    SERVING = "SERVING"
    DRAINING = "DRAINING"
    ENDED = "ENDED"
    LOST = "LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What a replica says of itself.

    Attributes:
        lag_us: how old what it knows of the changes is.
        followers: how many follow the changes on it.
    """

    id: str
    state: ReplicaState
    version: str
    host: str
    pid: int
    grpc_port: int
    http_port: int
    lag_us: int
    followers: int


@dataclass(frozen=True, slots=True)
class Replica:
    """One metadata server, as of its last sign.

    Attributes:
        database_node: that it wrote its sign to.
    """

    sign: Sign
    start_us: int
    seen_us: int
    database_node: str

    def state(self, now_us: int) -> ReplicaState:
        """How it is: who said last that it serves, and then nothing, is lost."""
        is_silent = now_us - self.seen_us > LOST_US
        if is_silent and self.sign.state is not ReplicaState.ENDED:
            return ReplicaState.LOST
        return self.sign.state


class DatabaseRole(StrEnum):
    WRITER = "WRITER"
    STANDBY = "STANDBY"


@dataclass(frozen=True, slots=True)
class DatabaseNode:
    """One node of the database.

    Attributes:
        version: with the kind; empty: not known.
        state: in the database's own words; empty: it has none.
        waiting: transactions of other nodes that it has not applied yet; None: not known.
        is_held_up: it stops writers, as some node is too far behind.
    """

    id: str
    role: DatabaseRole
    version: str = ""
    state: str = ""
    waiting: int | None = None
    is_held_up: bool = False
