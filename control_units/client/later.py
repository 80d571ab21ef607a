"""A stream that waits for a server to be found."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any


class LaterCall:
    """Stands for a call of gRPC, and opens it when it is first used.

    Args:
        find: the server to open it at.
        opens: it, at a server.

    Attributes:
        address: the server at which it was opened; empty: not yet.
    """

    def __init__(self, find: Callable[[], Awaitable[str]], opens: Callable[[str], Any]) -> None:
        self._find = find
        self._opens = opens
        self._opening = asyncio.Lock()
        self._is_cancelled = False
        self._call: Any = None
        self.address = ""

    async def opened(self) -> Any:
        """
        Raises:
            ClientError: there is no server to open it at.
        """
        async with self._opening:
            if self._call is None:
                self.address = await self._find()
                self._call = self._opens(self.address)
                if self._is_cancelled:
                    self._call.cancel()
        return self._call

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for reply in await self.opened():
            yield reply

    async def write(self, request: Any) -> None:
        await (await self.opened()).write(request)

    async def done_writing(self) -> None:
        await (await self.opened()).done_writing()

    def cancel(self) -> None:
        self._is_cancelled = True
        if self._call is not None:
            self._call.cancel()

    async def code(self) -> Any:
        return await (await self.opened()).code()

    async def details(self) -> Any:
        return await (await self.opened()).details()

    async def initial_metadata(self) -> Any:
        return await (await self.opened()).initial_metadata()

    async def trailing_metadata(self) -> Any:
        return await (await self.opened()).trailing_metadata()
