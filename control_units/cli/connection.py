"""How commands reach a server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from control_units.cli.patience import patiently

if TYPE_CHECKING:
    from control_units.client import Client

Result = TypeVar("Result")

Thing = TypeVar("Thing")

_AT_ONCE = 500
"""Things of a list that are handed on together."""
COLLECTOR_S = 1.0
"""A collector of traces that does not answer keeps no command from its end for longer."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What the options of `mds` say about calls.

    Attributes:
        principal: who acts; None: the user of this program.
        is_told: whether calls are printed as calls of REST, and none is made that changes
            anything.
    """

    principal: str | None = None
    is_told: bool = False

    def author(self) -> str:
        """The name that changes of who asks have in the history."""
        from mds.v1.token_pb2 import WhoAmIRequest

        from control_units.client import default_principal
        from control_units.client.tokens import ShownToken

        if self.is_told or not ShownToken().text:
            return self.principal or default_principal()
        return self.run(lambda client: client.tokens.WhoAmI(WhoAmIRequest())).principal

    def run(
        self,
        work: "Callable[[Client], Awaitable[Result]]",
        *,
        timeout_s: float = 30.0,
        says_why: bool = True,
    ) -> Result:
        """Does work with a client, made for it and closed after it.

        Args:
            timeout_s: what each call may take.
            says_why: whether people are told when no server answers; else the work does it.

        Raises:
            click.UsageError: MDS_ADDRESS names no server.
        """

        async def with_client() -> Result:
            async with self._client(timeout_s) as client:
                if self.is_told:
                    await client.find_servers()
                if not says_why:
                    return await work(client)
                return await patiently(client, timeout_s, work(client))

        return asyncio.run(with_client())

    def each(
        self,
        work: "Callable[[Client], AsyncIterator[Thing]]",
        *,
        limit: int | None = None,
        timeout_s: float = 30.0,
    ) -> Iterator[Thing]:
        """Things one after the other, as they come from a server: never all at once.

        Args:
            limit: how many at most.
            timeout_s: what each call may take.

        Raises:
            click.UsageError: MDS_ADDRESS names no server.
        """
        with asyncio.Runner() as runner:
            client = self._client(timeout_s)
            things = work(client)
            left = limit
            try:
                if self.is_told:
                    runner.run(client.find_servers())
                while part := runner.run(
                    patiently(client, timeout_s, _some(things, min(_AT_ONCE, left or _AT_ONCE)))
                ):
                    yield from part
                    left = None if left is None else left - len(part)
                    if left == 0:
                        return
            finally:
                runner.run(client.close())

    def _client(self, timeout_s: float) -> "Client":
        from control_units.client import Client
        from control_units.client.traces import open_traces

        open_traces("mds", patience_s=COLLECTOR_S)
        made: type[Client] = Client
        if self.is_told:
            from control_units.cli.curl.telling import TellingClient

            made, timeout_s = TellingClient, 2.0
        try:
            return made(principal=self.principal, program="mds", timeout=timeout_s)
        except ValueError as error:
            raise click.UsageError(str(error)) from error


async def _some(things: AsyncIterator[Thing], count: int) -> list[Thing]:
    """The next ones; none: there are no more."""
    found: list[Thing] = []
    while len(found) < count:
        try:
            found.append(await anext(things))
        except StopAsyncIteration:
            break
    return found


pass_who = click.make_pass_decorator(Connection)
"""For commands that run a program of their own, which makes its own calls."""


def pass_connection(command: Callable[..., Any]) -> Callable[..., Any]:
    """For commands that make all their calls by the connection, so that these can be told."""
    passed = pass_who(command)
    passed.makes_calls = True  # type: ignore[attr-defined]
    return passed


def makes_calls(command: click.Command) -> bool:
    """Whether all that a command does are calls by its connection."""
    return getattr(command.callback, "makes_calls", False)
