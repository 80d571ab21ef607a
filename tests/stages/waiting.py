"""Waiting for what a test expects: a condition and a deadline, never a fixed sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")
PAUSE_S = 0.02


@overload
async def until(
    condition: Callable[[], Awaitable[T]], *, within: float = 10.0, what: str = ""
) -> T: ...
@overload
async def until(condition: Callable[[], T], *, within: float = 10.0, what: str = "") -> T: ...
async def until(condition: Callable[[], object], *, within: float = 10.0, what: str = "") -> object:
    """The first truthy result of `condition`, which may be a plain or an async function.

    Raises:
        AssertionError: it was not so within that many seconds; tells the last result.
    """
    deadline = time.monotonic() + within
    while True:
        result = condition()
        if isinstance(result, Awaitable):
            async with asyncio.timeout(max(0.0, deadline - time.monotonic()) + PAUSE_S):
                result = await result
        if result:
            return result
        if time.monotonic() > deadline:
            wanted = what or getattr(condition, "__name__", "the condition")
            raise AssertionError(f"Waited {within} s for {wanted}; the last result was {result!r}.")
        await asyncio.sleep(PAUSE_S)
