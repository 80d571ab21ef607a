"""Reading one's own writes at another replica: waiting until a revision can be seen here."""

from __future__ import annotations

import asyncio
import re
import time

from metadata_server.domain.change import Position
from metadata_server.domain.horizon import history_reset
from metadata_server.domain.moment import LARGEST_REVISION
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.store.store import Store

LONGEST_WAIT_S = 5.0
PAUSE_S = 0.05
WRITTEN = re.compile(r"(?:(?P<store>[^/]+)/(?P<epoch>[0-9]{1,18})/)?(?P<revision>[0-9]{1,19})")
EXPECTED = "a revision like 120, or a position of this service like {store}/{epoch}/120"


class Reaching:
    """Waits for what this replica is to see before it answers.

    Args:
        wait_s: for at most so long.
    """

    def __init__(self, store: Store, *, wait_s: float = LONGEST_WAIT_S) -> None:
        self._store = store
        self._wait_s = wait_s

    async def reach(self, text: str) -> None:
        """Returns once the revision that a text names can be seen here.

        Raises:
            Refused: INVALID_FIELD; REVISION_NOT_REACHED after 5 s; HISTORY_RESET, where the text
                is a position of another store or epoch; DATABASE_UNAVAILABLE.
        """
        wanted = minimum_of(text)
        deadline = time.monotonic() + self._wait_s
        while True:
            seen = (await self._store.read(lambda unit: unit.position)).value
            if has_reached(seen, wanted):
                return
            if time.monotonic() >= deadline:
                raise Refused.busy(
                    "REVISION_NOT_REACHED",
                    f"This replica sees revision {seen.revision}, not yet {wanted.revision}. Send "
                    "the same call again, or to another replica.",
                    retry_after_ms=1000,
                )
            await asyncio.sleep(PAUSE_S)


def has_reached(seen: Position, wanted: Position) -> bool:
    """
    Raises:
        Refused: HISTORY_RESET.
    """
    if wanted.store_id and (wanted.store_id, wanted.epoch) != (seen.store_id, seen.epoch):
        message = "That position is of another store or epoch. Read everything again."
        raise history_reset(message, seen)
    return seen.revision >= wanted.revision


def minimum_of(text: str) -> Position:
    """What a caller has seen: a revision, of whatever store, or a position.

    Raises:
        Refused: INVALID_FIELD.
    """
    found = WRITTEN.fullmatch(text)
    if found is None or int(found["revision"]) > LARGEST_REVISION:
        raise Refused.wrong_fields([WrongField("min_revision", text, EXPECTED)])
    return Position(found["store"] or "", int(found["epoch"] or 0), int(found["revision"]))
