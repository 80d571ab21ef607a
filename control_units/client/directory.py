"""Finds servers at all addresses that were written, and keeps what it found current."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from control_units.client.addresses import DNS, SRV, Address
from control_units.client.rotation import Server

PERIOD_S = 30.0
SOON_S = 1.0
"""Between two looks, where none was found, or one that was does not answer."""
LOOK_S = 5.0
log = structlog.get_logger(__name__)


class NothingFound(Exception):
    """No server was found at an address; the text says why, and what would be right."""


class Source(Protocol):
    """One place to look at."""

    async def find(self) -> Sequence[Server]:
        """
        Raises:
            NothingFound: there is none.
        """
        ...

    async def close(self) -> None: ...


class Directory:
    """Looks at once, every 30 s, and when somebody says that it should.

    Args:
        on_found: is given all servers, after each look that found some. What was found stays when
            a later look finds nothing: a name server that fails stops nobody.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        on_found: Callable[[Sequence[Server]], Awaitable[None]],
    ) -> None:
        self._again = asyncio.Event()
        self._looked = asyncio.Event()
        self._sources = [source_of(each, self.look_again) for each in addresses]
        self._on_found = on_found
        self._task: asyncio.Task[None] | None = None
        self.problem = ""

    def look_again(self) -> None:
        """What is known may no longer be so."""
        self._again.set()

    async def look(self) -> None:
        """Returns when it has looked at least once."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await self._looked.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for source in self._sources:
            await source.close()

    async def _run(self) -> None:
        while True:
            self._again.clear()
            try:
                await self._on_found(await self._found())
                self.problem = ""
            except NothingFound as nothing:
                self.problem = str(nothing)
            except Exception as error:  # the top of a background loop: it looks again
                self.problem = f"{type(error).__name__}: {error}"
                log.exception("looking_for_servers_failed")
            self._looked.set()
            if not self.problem:
                await self._until_due()
            await asyncio.sleep(SOON_S)

    async def _until_due(self) -> None:
        try:
            async with asyncio.timeout(PERIOD_S):
                await self._again.wait()
        except TimeoutError:
            return

    async def _found(self) -> list[Server]:
        """At all addresses, in the order written, each once; some may have none.

        Raises:
            NothingFound: none has.
        """
        looks = await asyncio.gather(*map(look_at, self._sources), return_exceptions=True)
        found: dict[str, Server] = {}
        problems = []
        for look in looks:
            if isinstance(look, NothingFound):
                problems.append(str(look))
            elif isinstance(look, BaseException):
                raise look
            else:
                found |= {each.address: each for each in look if each.address not in found}
        if not found:
            raise NothingFound(" ".join(problems))
        return list(found.values())


class One:
    """A server whose address was written."""

    def __init__(self, address: Address) -> None:
        self._server = Server(address=str(address))

    async def find(self) -> Sequence[Server]:
        return [self._server]

    async def close(self) -> None:
        return


def source_of(address: Address, on_change: Callable[[], None]) -> Source:
    """Where to look for the servers of an address."""
    if not address.scheme:
        return One(address)
    # Few programs need them, and they are slow to load.
    if address.scheme in (DNS, SRV):
        from control_units.client.dns_names import source_of_name

        return source_of_name(address)
    from control_units.client.announced import Announced

    return Announced(address, on_change)


async def look_at(source: Source) -> Sequence[Server]:
    try:
        async with asyncio.timeout(LOOK_S):
            return await source.find()
    except TimeoutError:
        raise NothingFound(f"Nothing was found in {LOOK_S:.0f} s.") from None
