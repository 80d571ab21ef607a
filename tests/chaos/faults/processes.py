"""Processes that end, and processes that say nothing any more."""

import contextlib
from collections.abc import AsyncIterator

import psutil

from tests.chaos.faults.evidence import is_stopped, must
from tests.chaos.stage import ClusterStage


@contextlib.asynccontextmanager
async def nothing(_: ClusterStage) -> AsyncIterator[None]:
    """What the figures of the others are to be held against."""
    yield


@contextlib.asynccontextmanager
async def killed(
    stage: ClusterStage, *, service: str, comes_back: bool = False
) -> AsyncIterator[None]:
    """SIGKILL, to the process and all that it started: a power cut.

    Args:
        comes_back: by itself, as its container would; else when the fault is healed.
    """
    process = stage.cluster[service]
    killed = process.pid
    await process.kill(stays_down=not comes_back)
    try:
        if psutil.pid_exists(killed):
            raise RuntimeError(f"{service} is alive after SIGKILL")
        yield
    finally:
        if not comes_back:
            await process.start()


@contextlib.asynccontextmanager
async def paused(stage: ClusterStage, *, service: str) -> AsyncIterator[None]:
    """SIGSTOP: its connections stay open, and nobody is answered."""
    process = stage.cluster[service]
    process.pause()
    try:
        await must(lambda: is_stopped(stage, service), f"{service} stands still")
        yield
    finally:
        process.resume()
