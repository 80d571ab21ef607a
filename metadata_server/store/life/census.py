"""How many control units stand alike, kept current by what changes.

To count 100,000 units takes the database most of a second. So a count is kept for each unit server,
and after a change only those unit servers are counted again that it touches. What is told is what
the database says in that very transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from metadata_server.domain.change import Position
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.store.keys import batches
from metadata_server.store.life.counting import NOBODY, UNIT, Alike, alike_units, of_servers
from metadata_server.store.past.followed import changed_keys, is_followed
from metadata_server.store.schema import history, name, status_history
from metadata_server.store.unit_of_work import UnitOfWork

COUNTED = frozenset({Kind.CONTROL_UNIT, Kind.CONTROL_UNIT_STATUS, Kind.UNIT_SERVER})


@dataclass(frozen=True, slots=True)
class Census:
    """Counts as of a position, by the key of the unit server."""

    position: Position
    coverage: Coverage
    by_server: Mapping[int, tuple[Alike, ...]]

    def __iter__(self) -> Iterator[Alike]:
        return chain.from_iterable(self.by_server.values())


class CensusTaker:
    """Keeps the last census; any thread may ask for the next."""

    def __init__(self) -> None:
        self._last: Census | None = None
        self._turn = threading.Lock()

    def take(
        self,
        unit: UnitOfWork,
        coverage: Coverage,
        *,
        by: ColumnElement[Any] = UNIT.zone,
        some_are_stuck: bool,
    ) -> Census:
        """As of this transaction.

        Args:
            by: what the groups' zones are, each time the same; what it says of a unit changes only
                with its declaration.
        """
        # Who comes meanwhile would count the same: what it waits for spares it that.
        with self._turn:
            last = self._last
            touched = None if last is None else servers_touched(unit, last, coverage)
            found: dict[int, list[Alike]] = {}
            wanted = None if touched is None else of_servers(touched)
            for each in alike_units(
                unit, coverage, by=by, some_are_stuck=some_are_stuck, wanted=wanted
            ):
                found.setdefault(each.unit_server_key, []).append(each)
            counts = {key: tuple(alike) for key, alike in found.items()}
            if last is not None and touched is not None:
                kept = {key: each for key, each in last.by_server.items() if key not in touched}
                counts = kept | counts
            self._last = Census(unit.position, coverage, counts)
            return self._last


def servers_touched(unit: UnitOfWork, last: Census, coverage: Coverage) -> set[int] | None:
    """Keys of the unit servers whose counts may be others than at a census; None: of any."""
    if coverage != last.coverage or not is_followed(unit, last.position, COUNTED):
        return None
    since = last.position.revision
    # Who is covered is told by names, of unit servers too, and those may be others now.
    if not coverage.is_empty and changed_keys(unit, history, Kind.UNIT_SERVER, since) != set():
        return None
    declared = changed_keys(unit, history, Kind.CONTROL_UNIT, since)
    told = changed_keys(unit, status_history, Kind.CONTROL_UNIT_STATUS, since)
    if declared is None or told is None:
        return None
    return servers_of(unit, declared | told) | servers_left(unit, declared, since)


def servers_of(unit: UnitOfWork, keys: Iterable[int]) -> set[int]:
    """Of the unit servers that units are declared for."""
    found: set[int] = set()
    for some in batches(sorted(keys)):
        query = select(UNIT.unit_server_key).where(UNIT.key.in_(some)).distinct()
        found |= {key or NOBODY for key in unit.connection.scalars(query)}
    return found


def servers_left(unit: UnitOfWork, keys: Iterable[int], since: int) -> set[int]:
    """Of those that units were declared for at some time since a revision."""
    found: set[int] = set()
    for some in batches(sorted(keys)):
        query = select(name.c.unit_server_key).where(
            name.c.key.in_(some),
            name.c.kind == Kind.CONTROL_UNIT.value,
            or_(name.c.from_revision > since, name.c.to_revision > since),
        )
        found |= {key or NOBODY for key in unit.connection.scalars(query.distinct())}
    return found
