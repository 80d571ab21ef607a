"""A load: some works, and the probes beside them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Protocol

from tests.chaos.loads import Stage
from tests.chaos.loads.probing import Probing


class Work(Protocol):
    """Something that a facility does; see `Load`, which has the same steps."""

    async def prepare(self, stage: Stage, probing: Probing) -> None:
        """Declares and starts what it needs."""

    async def run(self, stop: asyncio.Event) -> None:
        """Works until it is told to stop; records what a fault causes."""

    async def settle(self) -> None:
        """Returns when everything is current again."""

    async def close(self) -> None:
        """Ends its processes and connections."""


class ProbedLoad:
    """
    Attributes:
        name: in tables and on the command line.
    """

    def __init__(self, name: str, *works: Callable[[], Work]) -> None:
        self.name = name
        self._works: Sequence[Work] = [make() for make in works]
        self._probing: Probing | None = None

    @property
    def probes(self) -> str:
        """Prefix of ids of its probes' resources."""
        assert self._probing is not None, "prepare it first"
        return self._probing.prefix

    async def prepare(self, stage: Stage) -> None:
        self._probing = Probing(stage)
        await self._probing.prepare()
        for work in self._works:
            await work.prepare(stage, self._probing)

    async def run(self, stop: asyncio.Event) -> None:
        assert self._probing is not None, "prepare it first"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._probing.run(stop))
            for work in self._works:
                tasks.create_task(work.run(stop))

    async def settle(self) -> None:
        for work in self._works:
            await work.settle()
        if self._probing is not None:
            await self._probing.settle()

    async def close(self) -> None:
        async with AsyncExitStack() as stack:
            if self._probing is not None:
                stack.push_async_callback(self._probing.close)
            for work in self._works:
                stack.push_async_callback(work.close)
