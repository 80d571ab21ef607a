"""Somebody who looks at the page again and again, through the load balancer."""

import asyncio
import time

import aiohttp

PAUSE_S = 0.2
GIVES_UP_S = 10.0


class PageReader:
    """
    Attributes:
        seen: when a page had come, s of this machine's monotonic clock.
    """

    def __init__(self, page: str) -> None:
        self._page = page
        self.seen: list[float] = []

    async def read_on(self, stop: asyncio.Event) -> None:
        timeout = aiohttp.ClientTimeout(total=GIVES_UP_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not stop.is_set():
                try:
                    async with session.get(self._page) as answer:
                        await answer.read()
                        if answer.ok:
                            self.seen.append(time.monotonic())
                except (aiohttp.ClientError, TimeoutError):
                    pass  # that is what is measured
                await asyncio.sleep(PAUSE_S)
