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
_LOOK_S = 0.5
_SOONEST_LOOK_S = 0.1


class TooSlow(Exception):
    """A body came slower than it may."""


class Body:
    """Of a request, whose sender is waited for."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._content = request.content
        self._left_s = PATIENCE_S
        self._came = 0
        self._looked_s = asyncio.get_running_loop().time()

    async def beginning(self) -> None:
        """Waits until all of it is here, or so much that only a handler can take more. Whoever
        sends nothing costs nothing meanwhile: what comes wakes it, or the end of patience.

        Raises:
            TooSlow: it did not come.
        """
        while not self._is_begun():
            self._look()
            try:
                async with asyncio.timeout(max(self._left_s, 0.0)):
                    # What is public and waits for data takes it, and the handler would not get it.
                    await self._content._wait("beginning")
            except Exception as failure:
                if self._content.exception() is not None:
                    return  # whoever reads is told
                if isinstance(failure, TimeoutError):
                    raise TooSlow from None
                raise

    @asynccontextmanager
    async def rest(self) -> AsyncIterator[None]:
        """Ends what is done with it where the rest comes too slowly.

        Raises:
            TooSlow: only waiting counts, not what is done with what has come.
        """
        if self._content.is_eof():
            yield
            return
        limit = asyncio.timeout(None)
        try:
            async with limit:
                watching = asyncio.create_task(self._watch(limit))
                try:
                    yield
                finally:
                    watching.cancel()
                    await asyncio.wait({watching})
        except TimeoutError:
            if not limit.expired():
                raise
            raise TooSlow from None

    async def _watch(self, limit: asyncio.Timeout) -> None:
        """Looks now and then, for nobody tells when a handler takes no more for a while; there are
        no more of these than places."""
        while not self._content.is_eof():
            self._look()
            if self._left_s < 0:
                limit.reschedule(self._looked_s)
                return
            await asyncio.sleep(max(_SOONEST_LOOK_S, min(_LOOK_S, self._left_s)))

    def _look(self) -> None:
        now_s, came = asyncio.get_running_loop().time(), self._content.total_bytes
        if self._is_waited_for():
            self._left_s -= now_s - self._looked_s
        self._left_s += (came - self._came) / SLOWEST_BYTES_S
        self._came, self._looked_s = came, now_s

    def _is_begun(self) -> bool:
        content = self._content
        is_over = content.is_eof() or content.exception() is not None
        return (
            is_over
            or self._request.transport is None
            or content.total_bytes >= _BEGINNING_BYTES
            or not self._is_waited_for()
        )

    def _is_waited_for(self) -> bool:
        """Whether more of it would be taken now: not while as much lies here unread as may, in
        bytes or in chunks."""
        transport = self._request.transport
        return transport is None or transport.is_reading()
