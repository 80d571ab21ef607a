"""Tokens as a replica remembers them, and the streams that were begun with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import structlog

from metadata_server.domain.access.token import HOUR_US, Token, id_in
from metadata_server.domain.change import Position
from metadata_server.domain.refused import Refused
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.access.tokens import note_use, unrevoked_tokens
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork

PERIOD_S = 0.5
"""After at most so long, and what the tailer takes, a revoked token is of no use here."""
KEPT_US = 30 * 86_400_000_000
"""For so long one that has expired is told apart from one that never was."""
HOW_TO = "`mds token create` makes one; programs read it from MDS_TOKEN or MDS_TOKEN_FILE."
UNKNOWN = f"This token is not known here, or was revoked. {HOW_TO}"
log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Stream:
    """A call that lasts.

    Attributes:
        refused: why it was ended, if its token was; None: it was not.
    """

    task: asyncio.Task[object]
    refused: Refused | None = None

    def end(self, refused: Refused) -> None:
        if self.refused is None:
            self.refused = refused
            self.task.cancel()


@dataclass(slots=True, eq=False)
class Held:
    """A token that is not revoked, as far as this replica knows.

    Attributes:
        end_us: when it expires, by this process's steady clock; None: never.
        streams: what is ended with it.
    """

    token: Token
    end_us: int | None
    streams: set[Stream] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        return self.end_us is not None and self.end_us <= steady_us()

    def end_streams(self, refused: Refused) -> None:
        for stream in tuple(self.streams):
            stream.end(refused)


@dataclass(frozen=True, slots=True)
class Known:
    """Tokens, and the database's clock when they were read."""

    tokens: list[Token]
    now_us: int


class Keyring:
    """Says whose a token is, without asking the database as long as nothing changes."""

    def __init__(self, store: Store, tailer: Tailer) -> None:
        self._store = store
        self._tailer = tailer
        self._held: dict[str, Held] = {}
        self._read_at: Position | None = None
        self._clock_us = 0
        self._used: set[str] = set()
        self._turn = asyncio.Lock()

    def remembers(self, text: str) -> bool:
        """Whether it can say at once whose token a text is."""
        return id_in(text) in self._held

    async def token_of(self, text: str) -> Token:
        """The token that a text is.

        Raises:
            Refused: UNAUTHENTICATED; DATABASE_UNAVAILABLE, DRAINING where it has to look.
        """
        id = id_in(text)
        if not id:
            raise Refused.unauthenticated(f"What was sent is no token. {HOW_TO}")
        held = self._held.get(id) or await self._looked_for(id)
        if held is None or not held.token.is_text(text):
            raise Refused.unauthenticated(UNKNOWN)
        if held.is_over:
            raise expired(held.token)
        self._used.add(id)
        return held.token

    @contextmanager
    def streaming(self, id: str) -> Iterator[Stream]:
        """The present task is one that ends with the token of an id.

        Raises:
            Refused: UNAUTHENTICATED, when it has ended just now.
        """
        held, task = self._held.get(id), asyncio.current_task()
        if held is None:
            raise Refused.unauthenticated(UNKNOWN)
        assert task is not None
        stream = Stream(task)
        held.streams.add(stream)
        try:
            yield stream
        finally:
            held.streams.discard(stream)

    async def run(self) -> None:
        """Looks for ever."""
        while True:
            await asyncio.sleep(PERIOD_S)
            try:
                await self._read()
                self._end_what_is_over()
                await self._tell_use()
            except Refused as refused:
                # What is remembered holds: nobody can revoke anything meanwhile.
                log.debug("tokens_not_read", reason=refused.reason)
            except Exception:  # the top of a loop: it goes on
                log.exception("keyring_failed")

    async def _looked_for(self, id: str) -> Held | None:
        """A token that is not remembered: it may have been created elsewhere a moment ago."""
        await self._tailer.look_now()
        await self._read()
        return self._held.get(id)

    async def _read(self) -> None:
        """Reads tokens where something has happened since, and ends the streams of those that
        are gone. A token's streams go over to what is known of it now."""
        if not self._is_behind():
            return
        async with self._turn:
            if not self._is_behind():
                return  # somebody has read them while this one waited
            answer = await self._store.read(known_tokens)
            self._clock_us = answer.value.now_us - steady_us()
            before, self._held = self._held, {}
            for token in answer.value.tokens:
                old = before.pop(token.id, None)
                streams = old.streams if old is not None else set()
                self._held[token.id] = Held(token, self._end_of(token), streams)
            self._read_at = answer.position
        for gone in before.values():
            gone.end_streams(Refused.unauthenticated(UNKNOWN))

    def _is_behind(self) -> bool:
        """Whether something has happened since tokens were read."""
        seen, read = self._tailer.position, self._read_at
        if seen is None or read is None:
            return True
        is_other = (seen.store_id, seen.epoch) != (read.store_id, read.epoch)
        return is_other or seen.revision > read.revision

    def _end_of(self, token: Token) -> int | None:
        """By the steady clock: the database's may not be this machine's."""
        return token.expire_time_us - self._clock_us if token.expire_time_us else None

    def _end_what_is_over(self) -> None:
        for held in self._held.values():
            if held.streams and held.is_over:
                held.end_streams(expired(held.token))

    async def _tell_use(self) -> None:
        """Takes down which tokens were used in this hour; once an hour for each."""
        used, self._used = self._used, set()
        hour_us = (self._clock_us + steady_us()) // HOUR_US * HOUR_US
        held = [self._held[id] for id in used & self._held.keys()]
        new = [each for each in held if each.token.last_use_time_us < hour_us]
        if not new:
            return
        ids = [each.token.id for each in new]
        await self._store.transact(lambda unit: note_use(unit, ids, hour_us))
        for each in new:
            each.token = replace(each.token, last_use_time_us=hour_us)


def known_tokens(unit: UnitOfWork) -> Known:
    return Known(unrevoked_tokens(unit, expired_since_us=unit.now_us - KEPT_US), unit.now_us)


def steady_us() -> int:
    return time.monotonic_ns() // 1000


def expired(token: Token) -> Refused:
    return Refused.unauthenticated(f"The token {token.name} has expired. {HOW_TO}")
