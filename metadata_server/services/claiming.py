"""Takes up work that no replica does, for as long as this one serves."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

import structlog

from metadata_server.domain.refused import Refused

H = TypeVar("H")
log = structlog.get_logger()


class Claiming(Generic[H]):
    """A loop that claims, and a task for each claim. There is no leader: what one replica misses,
    another finds.

    Args:
        what: plural of what is claimed, for the log.
        look_s: the longest time between two looks for what nobody holds.
        draining: set once the replica is stopping.
        claim: takes what nobody holds.
        carry_on: works on one claim until there is nothing to do, or it is lost; raises nothing.
    """

    def __init__(
        self,
        what: str,
        look_s: float,
        draining: asyncio.Event,
        *,
        claim: Callable[[], Awaitable[Sequence[H]]],
        carry_on: Callable[[H], Coroutine[Any, Any, None]],
    ) -> None:
        self._what = what
        self._look_s = look_s
        self._draining = draining
        self._claim = claim
        self._carry_on = carry_on
        self._due = asyncio.Event()

    def look(self) -> None:
        """Has it look at once."""
        self._due.set()

    async def run(self, tasks: asyncio.TaskGroup) -> tuple[H, ...]:
        """Until the replica drains; the claims that were worked on then, for others to have."""
        running: dict[asyncio.Task[None], H] = {}
        while not self._draining.is_set():
            running = {task: claim for task, claim in running.items() if not task.done()}
            try:
                for claim in await self._claim():
                    running[tasks.create_task(self._carry_on(claim))] = claim
            except Refused as refused:
                log.warning("claims_wait", of=self._what, reason=refused.reason)
            except Exception:  # the top of a background loop
                log.exception("nothing_claimed", of=self._what)
            await self._pause()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return tuple(running.values())

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(random.uniform(0.5, 1.0) * self._look_s):
                await self._due.wait()
        except TimeoutError:
            pass
        self._due.clear()
