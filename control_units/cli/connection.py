"""How commands reach a server."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from control_units.client import Client

Result = TypeVar("Result")

QUIET_S = 1.5
"""How long a command waits for an answer without a word."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What the options of `mds` say about calls.

    Attributes:
        principal: who acts; None: the user of this program.
    """

    principal: str | None = None

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
            from control_units.client import Client

            try:
                client = Client(principal=self.principal, program="mds", timeout=timeout_s)
            except ValueError as error:
                raise click.UsageError(str(error)) from error
            async with client:
                if not says_why:
                    return await work(client)
                patience = asyncio.create_task(_tell_why_it_takes_long(client, timeout_s))
                try:
                    return await work(client)
                finally:
                    patience.cancel()

        return asyncio.run(with_client())


async def _tell_why_it_takes_long(client: "Client", timeout_s: float) -> None:
    """Tells once that no server has answered so far: a minute of silence looks like a fault."""
    await asyncio.sleep(QUIET_S)
    while client.failure is None:  # noqa: ASYNC110 - only a try that failed can tell
        await asyncio.sleep(QUIET_S)
    click.echo(f"{client.failure}. Trying again for up to {timeout_s:.0f} s …", err=True)


pass_connection = click.make_pass_decorator(Connection)
