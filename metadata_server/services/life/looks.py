"""What unit servers are to be told after changes, read for all of them together: a wave of changes
that concerns a hundred unit servers costs some statements, not some for each of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import structlog

from metadata_server.domain.life.session import Session
from metadata_server.domain.refused import Refused
from metadata_server.services.life.hosting import Hosting, Told
from metadata_server.store.store import Answer, Store

UNITS_AT_ONCE = 1_000
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """What one attachment wants to know."""

    session: Session
    keys: AbstractSet[int]
    answer: asyncio.Future[Answer[list[Told]] | None]


class Looks:
    """Gathers what the attachments of this replica ask for while it reads, and reads it at once."""

    def __init__(self, store: Store, hosting: Hosting) -> None:
        self._store = store
        self._hosting = hosting
        self._waiting: deque[Asked] = deque()
        self._some = asyncio.Event()

    async def look(self, session: Session, keys: AbstractSet[int]) -> Answer[list[Told]] | None:
        """What units are told now, of those that are hosted by a session, and as of when; None:
        that takes a transaction of its own, for some have yet to be taken in.

        Raises:
            Refused: DATABASE_UNAVAILABLE, TOO_BUSY.
        """
        asked = Asked(session, keys, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self._some.set()
        return await asked.answer

    async def run(self) -> None:
        """Answers, until it is cancelled."""
        while True:
            await self._some.wait()
            await self._answer(self._take())

    def _take(self) -> list[Asked]:
        """Those that have waited longest, as many as are read at once."""
        taken: list[Asked] = []
        room = UNITS_AT_ONCE
        while self._waiting and room > 0:
            asked = self._waiting.popleft()
            if not asked.answer.done():  # its stream has not ended meanwhile
                taken.append(asked)
                room -= len(asked.keys)
        if not self._waiting:
            self._some.clear()
        return taken

    async def _answer(self, taken: list[Asked]) -> None:
        wanted = [(asked.session, asked.keys) for asked in taken]
        told: Sequence[Answer[list[Told]] | None] = [None] * len(taken)
        refusal: Refused | None = None
        try:
            answer = await self._store.read(lambda unit: self._hosting.look_over(unit, wanted))
            told = [
                each if each is None else Answer(each, answer.position) for each in answer.value
            ]
        except Refused as refused:
            refusal = refused
        except Exception:  # the top of a background loop: each looks by itself, and one fails
            log.exception("looks_failed", sessions=len(taken))
        for asked, found in zip(taken, told, strict=True):
            if asked.answer.done():
                continue
            if refusal is not None:
                asked.answer.set_exception(refusal)
            else:
                asked.answer.set_result(found)
