"""How far nodes of the database are that stand by: each is asked itself, for the writer does not know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from metadata_server.domain.replica import DatabaseNode, DatabaseRole
from metadata_server.store.database import Database
from metadata_server.store.database_nodes import StandBy

FRESH_S = 5.0
"""So long what one has said is told again."""
AWAY_S = 30.0
"""So long one that did not answer is not asked again."""
WAIT_S = 0.25
"""So long whoever asks for all nodes waits; what comes later is told next time."""


@dataclass(slots=True)
class _Asked:
    """One of them.

    Attributes:
        said: None: it does not answer.
        until_s: so long nobody asks it anew, by the monotonic clock.
    """

    node: StandBy
    said: DatabaseNode | None = None
    until_s: float = 0.0
    asking: asyncio.Future[DatabaseNode | None] | None = None


class StandBys:
    """Asks them when somebody looks, and not more often than every few seconds."""

    def __init__(self, database: Database) -> None:
        self._url = database.url
        self._known: dict[str, _Asked] = {}

    async def told(self, nodes: Sequence[DatabaseNode]) -> list[DatabaseNode]:
        """The same nodes; of those that stand by with what they say of themselves. One that does
        not answer is told as it came.
        """
        addresses = [each.id for each in nodes if _has_address(each)]
        self._known = {
            address: self._known.get(address) or _Asked(StandBy(self._url, address))
            for address in addresses
        }
        asked = [_asking(each) for each in self._known.values()]
        if due := [each for each in asked if each is not None]:
            await asyncio.wait(due, timeout=WAIT_S)
        return [self._newest(each) for each in nodes]

    def _newest(self, node: DatabaseNode) -> DatabaseNode:
        standby = self._known.get(node.id)
        if standby is None:
            return node
        if standby.asking is not None and standby.asking.done():
            standby.said = standby.asking.result()
            standby.until_s = time.monotonic() + (FRESH_S if standby.said else AWAY_S)
            standby.asking = None
        return standby.said or node


def _has_address(node: DatabaseNode) -> bool:
    """Not every cluster is told where its nodes take clients."""
    return node.role is DatabaseRole.STANDBY and node.id.rpartition(":")[2].isdecimal()


def _asking(standby: _Asked) -> asyncio.Future[DatabaseNode | None] | None:
    """What asks it, unless it has been asked lately."""
    if standby.asking is None and time.monotonic() >= standby.until_s:
        standby.asking = asyncio.ensure_future(asyncio.to_thread(standby.node.ask))
    return standby.asking
