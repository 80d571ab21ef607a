"""Sessions that have just begun on this replica and will most likely attach to it: what was
read for their registration need not be read again a moment later."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from metadata_server.domain.change import Position
from metadata_server.domain.life.session import Session
from metadata_server.services.life.hosting import HostedUnit

KEPT_S = 30.0
MOST_UNITS = 50_000
"""Of all sessions that are expected; the oldest are forgotten first, and read again."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a session was told when it registered.

    Attributes:
        position: what was told is at least as new.
        since: when that was, by the steady clock, s.
    """

    session: Session
    hosted: Sequence[HostedUnit]
    position: Position
    since: float


class Arrivals:
    """Sessions that are expected to attach, for half a minute."""

    def __init__(self) -> None:
        self._expected: OrderedDict[str, Expected] = OrderedDict()
        self._units = 0

    def expect(self, session: Session, hosted: Sequence[HostedUnit], position: Position) -> None:
        now = time.monotonic()
        self._forget(session.id)
        self._expected[session.id] = Expected(session, hosted, position, now)
        self._units += len(hosted)
        while self._expected:
            oldest = next(iter(self._expected.values()))
            if now - oldest.since <= KEPT_S and self._units <= MOST_UNITS:
                break
            self._forget(oldest.session.id)

    def take(self, session: str, position: Position | None) -> Expected | None:
        """What a session was told, if it has seen just that and nothing since."""
        expected = self._forget(session)
        return expected if expected is not None and expected.position == position else None

    def _forget(self, session: str) -> Expected | None:
        expected = self._expected.pop(session, None)
        if expected is not None:
            self._units -= len(expected.hosted)
        return expected
