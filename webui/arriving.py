"""Bodies on their way here: they come at a pace, or the request ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

# For so long nothing of a body may come. What comes buys time at this pace, however long all of it
# takes: an import over a slow link goes on, and who sends nothing is soon gone.
PATIENCE_S = 10.0
SLOWEST_BYTES_S = 10_000
# As much may come before anybody asks whether there is room for it.
_BEGINNING_BYTES = 64 * 1024
_LOOK_S = 0.1


class TooSlow(Exception):
    """A body came slower than it may."""


@asynccontextmanager
async def arriving(request: web.Request) -> AsyncIterator[None]:
    """Begins once a body is here, or so much of it that only a handler can take more; ends what is
    done with it where the rest comes too slowly.

    Raises:
        TooSlow: only waiting counts, not what is done with what has come.
    """
    content = request.content
    if content.is_eof():
        yield
        return
    begun = asyncio.Event()
    content.on_eof(begun.set)
    limit = asyncio.timeout(None)
    try:
        async with limit:
            watching = asyncio.create_task(_watch(request, begun, limit))
            try:
                await begun.wait()
                yield
            finally:
                watching.cancel()
                await asyncio.wait({watching})
    except TimeoutError:
        if not limit.expired():
            raise
        raise TooSlow from None


async def _watch(request: web.Request, begun: asyncio.Event, limit: asyncio.Timeout) -> None:
    content, loop = request.content, asyncio.get_running_loop()
    left_s, came, looked_s = PATIENCE_S, 0, loop.time()
    while not content.is_eof():
        now_s = loop.time()
        if _is_waited_for(request):
            left_s -= now_s - looked_s
        left_s += (content.total_bytes - came) / SLOWEST_BYTES_S
        came, looked_s = content.total_bytes, now_s
        if came >= _BEGINNING_BYTES or content.exception() is not None:
            begun.set()
        if left_s < 0:
            limit.reschedule(now_s)
            return
        await asyncio.sleep(_LOOK_S)


def _is_waited_for(request: web.Request) -> bool:
    """Whether more of a body would be taken now: not while as much lies here unread as may."""
    transport = request.transport
    return transport is None or transport.is_reading()
