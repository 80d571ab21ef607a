"""The last session of every unit server, kept current by what changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from metadata_server.domain.change import Position
from metadata_server.domain.life.session import Observer
from metadata_server.domain.names import Kind
from metadata_server.store.life.counting import Hosting, Sessions, hostings, sessions_of_hostings
from metadata_server.store.past.followed import changed_keys, is_followed
from metadata_server.store.schema import history, status_history
from metadata_server.store.unit_of_work import UnitOfWork

FOLLOWED = frozenset({Kind.UNIT_SERVER, Kind.UNIT_SERVER_STATUS, Kind.AGENT})


@dataclass(frozen=True, slots=True)
class Roll:
    """Sessions as of a position, by the key of the unit server."""

    position: Position
    by_server: Mapping[int, Hosting]


class SessionRoll:
    """Keeps the last roll; any thread may ask for the next."""

    def __init__(self) -> None:
        self._last: Roll | None = None
        self._turn = threading.Lock()

    def call(self, unit: UnitOfWork, seen: Observer) -> Sessions:
        """As of this transaction."""
        with self._turn:
            touched = servers_touched(unit, self._last)
            if self._last is None or touched is None:
                found = hostings(unit)
            else:
                kept = self._last.by_server.items()
                found = {key: each for key, each in kept if key not in touched}
                found |= hostings(unit, touched)
            self._last = Roll(unit.position, found)
        # Beats are no changes. While the observer was blind, they alone say who is there.
        if unit.now_us < seen.blind_until_us:
            found = hostings(unit)
        return sessions_of_hostings(unit, found, seen)


def servers_touched(unit: UnitOfWork, last: Roll | None) -> set[int] | None:
    """Keys of the unit servers of which something may be otherwise than it was; None: of any."""
    if last is None or not is_followed(unit, last.position, FOLLOWED):
        return None
    since = last.position.revision
    declared = changed_keys(unit, history, Kind.UNIT_SERVER, since)
    told = changed_keys(unit, status_history, Kind.UNIT_SERVER_STATUS, since)
    agents = changed_keys(unit, history, Kind.AGENT, since)
    # Sessions say by whom they are launched, in names.
    return None if agents or declared is None or told is None else declared | told
