"""Hooks that do not return for long, told while they run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str, float], None]
"""Is told the name of a hook and for how many seconds it has run; 0: it has ended after all."""


class SlowHooks:
    """Watches over the hooks of one unit.

    Args:
        say: after `warning_s`, and then each time that a hook has run for twice as long as when
            it was told last: so a hook that hangs for hours is told a few times.
    """

    def __init__(self, say: Say) -> None:
        self._say = say

    @contextmanager
    def watch(self, name: str, warning_s: float) -> Iterator[None]:
        """Watches over one call; `warning_s` in s."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        was_told = False
        timer: asyncio.TimerHandle

        def tell(after_s: float) -> None:
            nonlocal timer, was_told
            was_told = True
            timer = loop.call_at(begun + 2 * after_s, tell, 2 * after_s)
            self._say(name, after_s)

        timer = loop.call_at(begun + warning_s, tell, warning_s)
        try:
            yield
        finally:
            timer.cancel()
            if was_told:
                self._say(name, 0.0)
