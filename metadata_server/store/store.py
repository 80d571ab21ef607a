"""The store: runs work in transactions, again where that is safe, and says what went wrong."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout

from metadata_server.domain.change import Caller, Position
from metadata_server.domain.refused import Refused
from metadata_server.store.claims import Claims
from metadata_server.store.database import (
    DAMAGED,
    Database,
    Fault,
    cause_of,
    fault_of,
    limit_beyond,
)
from metadata_server.store.glance import Glance
from metadata_server.store.migration import present_schema
from metadata_server.store.newer import newer_content
from metadata_server.store.observer import Connections, StoreObserver, observed
from metadata_server.store.schema_steps import is_newer
from metadata_server.store.turns import Turns, asking
from metadata_server.store.unit_of_work import LostRace, UnitOfWork, nobody_waits

TRIES = 5
FIRST_PAUSE_S = 0.005
T = TypeVar("T")
Work = Callable[[UnitOfWork], T]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What work gave, and the position it was read or written at."""

    value: T
    position: Position


def told_at(answer: Answer[tuple[T, Position]]) -> Answer[T]:
    """What work gave together with the position that it was read as of."""
    value, position = answer.value
    return Answer(value, position)


class Store:
    """One database, a few threads, and the rules of transactions.

    `work` is a plain function of a `UnitOfWork` that may run twice: no I/O but the store's.
    """

    def __init__(
        self,
        database: Database,
        *,
        threads: int = 8,
        observer: StoreObserver | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.database = database
        self.turns = turns or Turns(threads)
        self._observer = observer or StoreObserver()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._fast_lane = ThreadPoolExecutor(1, thread_name_prefix="store-fast-lane")
        self._claims = Claims()
        self._glance = Glance(database.glancing)
        self._listeners: list[Callable[[Position], None]] = []

    def on_commit(self, listener: Callable[[Position], None]) -> None:
        """Calls `listener`, in a thread of the store, after each commit that has a revision."""
        self._listeners.append(listener)

    @property
    def connections(self) -> dict[str, Connections]:
        """Of each pool."""
        database = self.database
        return {
            "writing": Connections.of(database.writing.pool),
            "reading": Connections.of(database.reading.pool),
        }

    async def transact(self, work: Work[T], *, caller: Caller | None = None) -> Answer[T]:
        """Runs work in a writing transaction; what it saved is one revision.

        Raises:
            Refused: TOO_BUSY, before it began; by the work itself; CONTENTION after five lost
                races; CHANGE_TOO_LARGE for the database; DATABASE_UNAVAILABLE when nothing was
                written; OUTCOME_UNKNOWN when the connection broke at COMMIT.
        """
        return await self._run(lambda: self.transact_now(work, caller=caller))

    async def read(self, work: Work[T], *, fast_lane: bool = False) -> Answer[T]:
        """Runs work on one consistent snapshot; it must not write.

        Args:
            fast_lane: in a thread of its own, not behind all calls that wait for one; for the
                one reader that others wait for.

        Raises:
            Refused: TOO_BUSY, before it began; by the work itself; DATABASE_UNAVAILABLE.
        """
        if not fast_lane:
            return await self._run(lambda: self.read_now(work))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._fast_lane, lambda: self.read_now(work))

    async def glance(self) -> Position:
        """Where the database stands: cheaper than any `read`, and in the fast lane.

        Raises:
            Refused: DATABASE_UNAVAILABLE.
        """
        return await asyncio.get_running_loop().run_in_executor(self._fast_lane, self._glance_now)

    def _glance_now(self) -> Position:
        for is_last in (False, True):
            try:
                return self._glance.position()
            except NoResultFound:
                raise being_restored() from None
            except DBAPIError as error:
                # A connection that has been idle may have died since; a fresh one may do.
                if is_last or not error.connection_invalidated:
                    self._explain(error, committing=False)
        return self._away().position

    async def _run(self, call: Callable[[], Answer[T]]) -> Answer[T]:
        turns = self.turns
        held = await turns.begin(asking.get())
        running = asyncio.get_running_loop().run_in_executor(
            self._threads, copy_context().run, call
        )

        # A turn lasts as long as its thread, also where nobody waits for the answer any more:
        # else those who give up would leave ever more work behind.
        def ended(done: asyncio.Future[Answer[T]]) -> None:
            turns.end(held)
            if not done.cancelled():
                done.exception()  # looked at: asyncio complains of what nobody has heard

        running.add_done_callback(ended)
        return await asyncio.shield(running)

    def transact_now(self, work: Work[T], *, caller: Caller | None = None) -> Answer[T]:
        """`transact`, in the calling thread."""
        with observed(self._observer, "write"):
            for attempt in range(TRIES):
                if attempt:
                    time.sleep(random.uniform(0, FIRST_PAUSE_S * 2**attempt))
                answer = self._try(work, caller, first=attempt == 0)
                if answer is not None:
                    return answer
            raise Refused.busy(
                "CONTENTION", "Others kept changing the same rows. Send the same call again."
            )

    def _try(self, work: Work[T], caller: Caller | None, *, first: bool) -> Answer[T] | None:
        """One try; None: nothing was written, and it may run again."""
        committing = False
        try:
            with self._claiming() as before_claim, self.database.writing.connect() as connection:
                unit = self._begin(connection, caller)
                if unit is None:
                    self._observer.runs_again("dead_connection", committing=False)
                    return None if first else self._away()
                unit.before_claim = before_claim
                value = work(unit)
                unit.flush()
                committing = True
                connection.commit()
        except (LostRace, IntegrityError) as lost:
            log.info("race_lost", error=type(lost).__name__)
            self._observer.runs_again("race_lost", committing=False)
            return None
        except PoolTimeout:
            raise Refused.pressure(
                "TOO_BUSY", "All connections to the database are in use. Try again shortly."
            ) from None
        except DBAPIError as error:
            self._explain(error, committing=committing)
            return None
        except ValueError as error:
            self._check_readable(error)
            raise
        if unit.has_claimed:
            for listener in self._listeners:
                listener(unit.position)
        return Answer(value, unit.position)

    @contextmanager
    def _claiming(self) -> Iterator[Callable[[], None]]:
        """What a transaction has to call before it claims its revision; the place that it may get
        is left when it has ended."""
        has_place = False

        def enter() -> None:
            nonlocal has_place
            has_place = self._claims.enter(asking.get().rank)

        try:
            yield enter if not self.database.is_sqlite else nobody_waits
        finally:
            if has_place:
                self._claims.leave()

    def _begin(self, connection: Connection, caller: Caller | None) -> UnitOfWork | None:
        """Begins; None: the connection from the pool was dead, and a fresh one may do."""
        try:
            return UnitOfWork(connection, self.database, caller)
        except DBAPIError as error:
            if error.connection_invalidated:
                return None
            raise
        except NoResultFound:
            raise being_restored() from None

    def read_now(self, work: Work[T]) -> Answer[T]:
        """`read`, in the calling thread."""
        with observed(self._observer, "read"):
            return self._read_now(work)

    def _read_now(self, work: Work[T]) -> Answer[T]:
        for _ in range(2):
            try:
                with self.database.reading.connect() as connection:
                    unit = self._begin(connection, None)
                    if unit is None:
                        continue
                    return Answer(work(unit), unit.position)
            except PoolTimeout:
                raise Refused.pressure(
                    "TOO_BUSY", "All connections to the database are in use. Try again shortly."
                ) from None
            except DBAPIError as error:
                self._explain(error, committing=False)
            except ValueError as error:
                self._check_readable(error)
                raise
        return self._away()

    def _check_readable(self, error: ValueError) -> None:
        """Passes unless a newer release has been at work, whose words this one cannot read.

        Raises:
            Refused: NEWER_CONTENT.
        """
        if is_newer(present_schema(self.database)):
            log.warning("newer_content", problem=str(error))
            raise newer_content("what is asked for") from error

    def _explain(self, error: DBAPIError, *, committing: bool) -> None:
        """Returns where the work may run again; raises the right refusal otherwise."""
        fault = fault_of(error)
        log.warning("database_fault", fault=fault.name, error=type(error.orig).__name__)
        if fault is Fault.TRY_AGAIN:
            self._observer.runs_again(cause_of(error), committing=committing)
            return
        if fault is Fault.SCHEMA:
            raise unknown_schema() from error
        if fault is Fault.TOO_LARGE:
            raise change_too_large(limit_beyond(error)) from error
        if fault is Fault.FULL:
            raise Refused.busy(
                "DATABASE_UNAVAILABLE",
                "The database has no room left. Nothing was written; free some space.",
                retry_after_ms=5000,
            ) from error
        if fault is Fault.DAMAGED:
            raise Refused.busy("DATABASE_UNAVAILABLE", DAMAGED, retry_after_ms=5000) from error
        if fault is Fault.OURS:
            raise error
        if committing:
            raise Refused.busy(
                "OUTCOME_UNKNOWN",
                "The database went away during COMMIT. Send the same call again, with the same "
                "request id.",
            ) from error
        self._away(error)

    def _away(self, error: DBAPIError | None = None) -> Answer[T]:
        raise Refused.busy(
            "DATABASE_UNAVAILABLE",
            "The database does not answer. Nothing was written; send the same call again.",
            retry_after_ms=1000,
        ) from error

    def close(self) -> None:
        """Waits for what runs, then closes all connections."""
        for threads in (self._threads, self._fast_lane):
            threads.shutdown(wait=True)
        self._glance.close()
        self.database.dispose()


def being_restored() -> Refused:
    """The counter is the last that a restore writes."""
    return Refused.busy(
        "SCHEMA_UNKNOWN",
        "The database is being restored, or was until the restore was broken off. Wait for it, or "
        "run mds restore again.",
        retry_after_ms=5000,
    )


def change_too_large(limit: str) -> Refused:
    """A node of Galera says so at COMMIT, too; nothing was written then, either."""
    return Refused.invalid(
        "CHANGE_TOO_LARGE",
        "This is more than the database takes at once. Nothing was written. Change less at a time, "
        f"or raise {limit} on all nodes of the database.",
    )


def unknown_schema() -> Refused:
    return Refused.busy(
        "SCHEMA_UNKNOWN",
        "The database's schema is not the one this server knows. Run: mds migrate",
        retry_after_ms=5000,
    )
