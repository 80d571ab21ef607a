"""Health, as load balancers and people ask for it: live, and ready."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from grpc_health.v1 import health, health_pb2

from metadata_server.domain.refused import Refused

LIVE, READY = "", "ready"
PERIOD_S = 1.0
SILENCE_S = 8.0
"""A database that loses what is sent to it looks like a slow one until its connections give up,
which takes half a minute. A look takes four statements: of 2 s each they are no silence."""
SILENT = "The database does not answer: it has said nothing for a while, and nothing has ended."
FAILED = "The database could not be asked, by a fault of this server. Its log says more."
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
log = structlog.get_logger()


class Health:
    """What grpc.health.v1 says: `` is live, `ready` when the database answers and its schema is
    known.

    Args:
        check: asks the database.
        silence_s: for how long nobody else of this process has heard from it either: where all
            threads are busy, a check waits long and the database is well.
    """

    def __init__(
        self, check: Callable[[], Awaitable[object]], silence_s: Callable[[], float]
    ) -> None:
        self.servicer = health.aio.HealthServicer()
        self._check = check
        self._silence_s = silence_s
        self._asking: asyncio.Future[object] | None = None
        self._asked_s = 0.0
        self._draining = False
        self.problem: str | None = "The database has not been asked yet."

    @property
    def is_ready(self) -> bool:
        return self.problem is None and not self._draining

    async def start(self) -> None:
        await self.servicer.set(LIVE, SERVING)
        await self.look()

    async def run(self) -> None:
        """Looks once a second, until it is cancelled."""
        try:
            while True:
                await asyncio.sleep(PERIOD_S)
                await self.look()
        finally:
            if self._asking is not None:
                self._asking.cancel()

    async def look(self) -> None:
        """Asks the database once, and says what it found."""
        before = self.problem
        self.problem = await self._found()
        if self.problem != before:
            log.info("readiness_changed", ready=self.is_ready, problem=self.problem)
        await self.servicer.set(READY, SERVING if self.is_ready else NOT_SERVING)

    async def _found(self) -> str | None:
        """What is wrong; None: nothing. One question at a time is under way, however long the
        database keeps it waiting: each holds a thread."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._check())
            self._asked_s = time.monotonic()
        done, _ = await asyncio.wait([self._asking], timeout=PERIOD_S)
        if not done:
            silence_s = min(time.monotonic() - self._asked_s, self._silence_s())
            return SILENT if silence_s > SILENCE_S else self.problem
        asked, self._asking = self._asking, None
        try:
            asked.result()
        except Refused as refused:
            return refused.message
        except Exception:  # the top of a background loop
            if self.problem != FAILED:
                log.exception("health_check_failed")
            return FAILED
        return None

    async def drain(self) -> None:
        """Says NOT_SERVING from now on, so that balancers and clients go elsewhere."""
        self._draining = True
        self.problem = "The server is stopping."
        await self.servicer.enter_graceful_shutdown()
