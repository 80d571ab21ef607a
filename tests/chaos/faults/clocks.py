"""The time of day of one replica steps."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.chaos.clock import SEEN_AFTER_S
from tests.chaos.stage import ClusterStage


@contextlib.asynccontextmanager
async def stepped(stage: ClusterStage, *, step_s: int) -> AsyncIterator[None]:
    """Forth or back, and then back to what it was."""
    stage.clock.set(step_s)
    try:
        yield
    finally:
        stage.clock.set(0)
        await asyncio.sleep(SEEN_AFTER_S)
