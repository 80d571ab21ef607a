"""Signs of life while something takes long: who hears nothing leaves, and asks for it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def with_signs_of_life(
    making: Coroutine[Any, Any, T], every_s: float
) -> AsyncGenerator[T | None, None]:
    """None again and again until it is made, and then what was made."""
    task = asyncio.create_task(making)
    try:
        while not (await asyncio.wait([task], timeout=every_s))[0]:
            yield None
        yield task.result()
    finally:
        task.cancel()
