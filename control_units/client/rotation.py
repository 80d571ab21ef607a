"""Which of several servers is asked."""

import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

PENALTY_S = 5.0
"""For so long a server that was left is not asked again while others are well; twice as long each
time that it is left soon afterwards."""
LONGEST_PENALTY_S = 60.0
FORGOTTEN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One metadata server, as it was found.

    Attributes:
        address: `host:port` of gRPC.
        priority: those with a larger one are asked only while no other is well.
        weight: how many clients it gets, beside others of its priority.
        http_port: of REST; 0: not known, as everything that is empty.
        facility: that it serves, in words.
        store: whose id it is that of the database; servers of one facility have the same.
    """

    address: str
    priority: int = 0
    weight: int = 1
    http_port: int = 0
    replica: str = ""
    facility: str = ""
    store: str = ""
    version: str = ""
    is_tls: bool = False


@dataclass(slots=True)
class _Leaving:
    """When a server was left last, and until when it is not asked."""

    at: float
    until: float
    penalty_s: float


class Rotation:
    """The servers that may be asked. Each client has an order of its own, drawn by their
    weights, and asks the first one that is well: so clients spread when they start, those of a
    server that dies spread over all the others, and come back to it when it does.

    Args:
        is_well: whether a connection to a server stands; looked at before one that was left is
            asked again.
    """

    def __init__(
        self, is_well: Callable[[str], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_well = is_well
        self._clock = clock
        self._servers: dict[str, Server] = {}
        self._drawn: dict[str, float] = {}
        self._left: dict[str, _Leaving] = {}

    @property
    def servers(self) -> tuple[Server, ...]:
        """In the order in which they were found."""
        return tuple(self._servers.values())

    @property
    def left(self) -> frozenset[str]:
        """Those that were left at some time."""
        return frozenset(self._left)

    @property
    def address(self) -> str:
        """The server to ask now; empty: none is known."""
        if not self._servers:
            return ""
        well = [each for each in self._servers if self._may_be_asked(each)]
        if well:
            return min(well, key=self._place)
        return min(self._servers, key=lambda each: (self._left[each].at, self._place(each)))

    def replace(self, servers: Iterable[Server]) -> None:
        """What there is from now on; who is there already keeps its place."""
        self._servers = {each.address: each for each in servers}
        self._drawn = {
            each: self._drawn.get(each) or random.random() or 0.5 for each in self._servers
        }
        self._left = {each: self._left[each] for each in self._left if each in self._servers}

    def leave(self, address: str) -> None:
        """Has others asked first, unless another call has left this one already."""
        if not address or address != self.address:
            return
        now = self._clock()
        before = self._left.get(address)
        penalty_s = PENALTY_S
        if before is not None and now - before.at < FORGOTTEN_S:
            penalty_s = min(2 * before.penalty_s, LONGEST_PENALTY_S)
        self._left[address] = _Leaving(now, now + penalty_s, penalty_s)

    def _may_be_asked(self, address: str) -> bool:
        leaving = self._left.get(address)
        if leaving is None:
            return True
        return self._clock() >= leaving.until and self._is_well(address)

    def _place(self, address: str) -> tuple[int, float]:
        """Exponential waiting times with weights as rates: each comes first as often as it weighs,
        whoever else is there."""
        server = self._servers[address]
        return server.priority, -math.log(self._drawn[address]) / (server.weight or 0.01)
