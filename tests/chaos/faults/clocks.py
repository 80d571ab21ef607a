"""The time of day of one replica steps."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.chaos.clock import SEEN_AFTER_S
from tests.chaos.faults.evidence import must, shows_time
from tests.chaos.stage import ClusterStage


@contextlib.asynccontextmanager
async def stepped(stage: ClusterStage, *, step_s: int) -> AsyncIterator[None]:
    """Forth or back, and then back to what it was."""
    stage.clock.set(step_s)
    service = stage.clock.service
    try:
        await must(lambda: shows_time(stage, service, step_s), f"{service} is {step_s} s ahead")
        yield
    finally:
        stage.clock.set(0)
        await asyncio.sleep(SEEN_AFTER_S)
