"""Whether a fault is really in: a round without it would show that nothing is ever wrong."""

import asyncio
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime

import aiohttp
import psutil

from deploy.processes.network import MACHINE, inside
from tests.chaos.stage import ClusterStage

WITHIN_S = 3.0
CONNECTS_WITHIN_S = 0.5
"""On one machine it takes a millisecond."""
HTTP_PORT = 7401


async def must(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Waits a little.

    Raises:
        RuntimeError: it is not so: nothing can be said of this round.
    """
    end = time.monotonic() + WITHIN_S
    while not await condition():
        if time.monotonic() > end:
            raise RuntimeError(f"the fault did not strike: it is not so that {what}")
        await asyncio.sleep(0.05)


async def is_stopped(stage: ClusterStage, service: str) -> bool:
    """Whether all its processes stand still."""
    first = psutil.Process(stage.cluster[service].pid)
    family = [first, *first.children(recursive=True)]
    return all(each.status() == psutil.STATUS_STOPPED for each in family)


async def is_cut(
    stage: ClusterStage, one: str, other: str, port: int, within_s: float = CONNECTS_WITHIN_S
) -> bool:
    """Whether one host gets no connection to another."""
    where = [] if one == MACHINE else inside(one)
    address = f"/dev/tcp/{stage.cluster.address(other)}/{port}"
    process = await asyncio.create_subprocess_exec(
        *where, "timeout", f"{within_s}", "bash", "-c", f"exec 3<>{address}",
        stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL,
    )  # fmt: skip
    return await process.wait() != 0


async def shows_time(stage: ClusterStage, service: str, ahead_s: float) -> bool:
    """Whether the time of day of a replica is ahead by so much."""
    url = f"http://{stage.cluster.address(service)}:{HTTP_PORT}/healthz/live"
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, OSError):
        return False
    return abs(told - time.time() - ahead_s) < abs(ahead_s) / 2
