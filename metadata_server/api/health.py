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
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
log = structlog.get_logger()


class Health:
    """What grpc.health.v1 says: `` is live, `ready` when the database answers and its schema is
    known."""

    def __init__(self, check: Callable[[], Awaitable[object]]) -> None:
        self.servicer = health.aio.HealthServicer()
        self._check = check
        self._draining = False
        self.problem: str | None = "The database has not been asked yet."
        self.checked_at = 0.0

    @property
    def is_ready(self) -> bool:
        return self.problem is None and not self._draining

    async def start(self) -> None:
        await self.servicer.set(LIVE, SERVING)
        await self.look()

    async def run(self) -> None:
        """Looks once a second, until it is cancelled."""
        while True:
            await asyncio.sleep(PERIOD_S)
            await self.look()

    async def look(self) -> None:
        """Asks the database once, and says what it found."""
        before = self.problem
        try:
            await self._check()
            self.problem = None
        except Refused as refused:
            self.problem = refused.message
        self.checked_at = time.monotonic()
        if self.problem != before:
            log.info("readiness_changed", ready=self.is_ready, problem=self.problem)
        await self.servicer.set(READY, SERVING if self.is_ready else NOT_SERVING)

    async def drain(self) -> None:
        """Says NOT_SERVING from now on, so that balancers and clients go elsewhere."""
        self._draining = True
        self.problem = "The server is stopping."
        await self.servicer.enter_graceful_shutdown()
