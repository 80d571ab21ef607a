"""How many resources change sets created, changed and deleted.

To count the changes of a change set all of them are read, images and all: those of an import are
thousands. What is newer than all horizons changes never again, so a replica counts it once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping

from sqlalchemy import func, select

from metadata_server.domain.names import DECLARED
from metadata_server.store.keys import batches
from metadata_server.store.schema import history, horizon
from metadata_server.store.unit_of_work import UnitOfWork

MOST_KEPT = 10_000
Tally = Mapping[str, int]
"""Numbers of resources by what happened to them."""
Place = tuple[str, int, int]
"""A store, an epoch of it, a revision: a restored database comes to the same revision twice."""


class Tallies:
    """What has been counted; any thread may ask.

    Args:
        most: tallies that are kept; what has not been asked for longest makes room.
    """

    def __init__(self, *, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[Place, Tally] = OrderedDict()
        self._turn = threading.Lock()

    def of(self, unit: UnitOfWork, revisions: Collection[int]) -> dict[int, Tally]:
        """By revision; of those of which nothing is kept, empty."""
        position, trimmed = unit.position, trimmed_up_to(unit)
        settled = {
            each: (position.store_id, position.epoch, each)
            for each in revisions
            if trimmed < each <= position.revision
        }
        found = self._take(settled)
        counted = tallies_of(unit, [each for each in revisions if each not in found])
        self._keep({settled[each]: tally for each, tally in counted.items() if each in settled})
        return found | counted

    def _take(self, places: Mapping[int, Place]) -> dict[int, Tally]:
        with self._turn:
            found = {
                each: self._kept[place] for each, place in places.items() if place in self._kept
            }
            for each in found:
                self._kept.move_to_end(places[each])
        return found

    def _keep(self, tallies: Mapping[Place, Tally]) -> None:
        with self._turn:
            self._kept.update(tallies)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def trimmed_up_to(unit: UnitOfWork) -> int:
    """The revision up to which changes of any kind may have been trimmed."""
    query = select(func.max(horizon.c.revision)).where(horizon.c.kind.in_(DECLARED))
    return int(unit.connection.scalar(query) or 0)


def tallies_of(unit: UnitOfWork, revisions: Collection[int]) -> dict[int, Tally]:
    found: dict[int, dict[str, int]] = {each: {} for each in revisions}
    for some in batches(sorted(found)):
        query = (
            select(history.c.revision, history.c.action, func.count().label("number"))
            .where(history.c.revision.in_(some))
            .group_by(history.c.revision, history.c.action)
        )
        for row in unit.connection.execute(query):
            found[row.revision][row.action] = row.number
    return dict(found)
