"""Who else is a unit server that is to be launched here."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, or an agent that has one, so that a second one would be refused.

    Attributes:
        pid: 0: not known.
        agent: id of the one that launched it; empty: not known.
    """

    host: str
    pid: int = 0
    agent: str = ""

    def __str__(self) -> str:
        who = f"process {self.pid} on {self.host or 'another host'}"
        by = f", launched by agent {self.agent}," if self.agent else ""
        return f"{who}{by} is this unit server; it is launched when that one has ended"


class Holders(Protocol):
    """Knows who holds a unit server now, as far as anybody can tell."""

    async def holder_of(self, unit_server: str) -> Holder | None:
        """None: nobody does, or no server answers."""
        ...


class NobodyHolds:
    """For an agent that asks no server."""

    async def holder_of(self, unit_server: str) -> Holder | None:  # noqa: ARG002
        return None
