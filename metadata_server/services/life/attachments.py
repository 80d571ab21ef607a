"""All unit servers attached to this replica, and what concerns which of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from metadata_server.domain.change import Position
from metadata_server.domain.life.attachment import attached_elsewhere, draining, session_ended
from metadata_server.domain.life.session import Session, is_session_id
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.maintenance import Coverage
from metadata_server.domain.turn import Asker, Rank
from metadata_server.services.life.arrivals import Arrivals
from metadata_server.services.life.attachment import Attachment
from metadata_server.services.life.means import Means
from metadata_server.services.watching.following import keep_following
from metadata_server.services.watching.subscription import Batch
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.life.sessions import open_session
from metadata_server.store.turns import asking

LONGEST_ID = 64
"""Of a session, as far as it tells them apart; what comes may be anything."""


class Attachments:
    """Opens and ends attachments; passes changes on to those whom they concern."""

    def __init__(self, means: Means, tailer: Tailer, arrivals: Arrivals) -> None:
        self._means = means
        self._arrivals = arrivals
        self._tailer = tailer
        self._open: dict[str, Attachment] = {}
        self._draining = False
        self._coverage = Coverage()

    @property
    def unit_servers(self) -> int:
        """How many are attached here."""
        return len(self._open)

    @property
    def control_units(self) -> int:
        """How many units those host."""
        return sum(attachment.hosted for attachment in self._open.values())

    @asynccontextmanager
    async def attach(
        self,
        session: str,
        position: Position | None,
        sent_us: int = 0,
        *,
        tells_let_go: bool = False,
    ) -> AsyncIterator[Attachment]:
        """One stream of a session; an older one of it here ends.

        Args:
            sent_us: of its hello.
            tells_let_go: it says when units that have left it have let go of their devices.

        Raises:
            Refused: SESSION_ENDED, DRAINING, DATABASE_UNAVAILABLE.
        """
        if self._draining:
            raise draining()
        # It is not sent away: its lease runs, and to come again would cost more than to wait.
        asking.set(Asker(session[:LONGEST_ID], Rank.ARRIVALS, is_patient=True))
        expected = self._arrivals.take(session, position)
        known = await self._find(session) if expected is None else expected.session
        attachment = Attachment(known, self._means, sent_us, tells_let_go=tells_let_go)
        older = self._open.get(session)
        if older is not None:
            older.end(attached_elsewhere(session))
        self._open[session] = attachment
        try:
            if expected is None:
                await attachment.begin(position)
            else:
                await attachment.begin_expected(expected)
            attachment.cover(self._coverage)  # it may have come just after a look
            yield attachment
        finally:
            if self._open.get(session) is attachment:
                del self._open[session]

    async def _find(self, session: str) -> Session:
        if not is_session_id(session):
            raise session_ended(session)
        answer = await self._means.store.read(lambda unit: open_session(unit, session))
        if answer.value is None:
            raise session_ended(session)
        return answer.value

    def lost(self, session: str) -> None:
        """A sweep has ended a session."""
        attachment = self._open.get(session)
        if attachment is not None:
            attachment.end(session_ended(session))

    def drain(self) -> None:
        """Ends all streams, so that unit servers attach elsewhere."""
        self._draining = True
        for attachment in self._open.values():
            attachment.end(draining())

    def cover(self, coverage: Coverage) -> None:
        """Which units are in maintenance now."""
        self._coverage = coverage
        for attachment in self._open.values():
            attachment.cover(coverage)

    async def run(self) -> None:
        """Passes changes on, until it is cancelled; whenever it may have missed some, everybody
        looks again."""
        await keep_following(self._tailer, self._follow, missed="changes_missed")

    async def _follow(self) -> None:
        async with self._tailer.subscribe(kinds={Kind.CONTROL_UNIT}) as changes:
            for attachment in self._open.values():
                attachment.mark_all()
            async for batch in changes:
                self._pass_on(batch)

    def _pass_on(self, batch: Batch) -> None:
        changes = [
            (change.key, getattr(change.subject, "unit_server", ""))
            for change in batch.changes
            if change.kind is Kind.CONTROL_UNIT
        ]
        self._means.conditions.changed([key for key, _ in changes])
        changed = {key for key, _ in changes}
        by_server: dict[str, set[int]] = defaultdict(set)
        for key, server in changes:
            by_server[server].add(key)
        for attachment in self._open.values():
            server = attachment.session.unit_server
            attachment.mark(attachment.concerning(changed) | by_server[server], batch.position)
