"""How long a command waits for a server, and what it says meanwhile."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from control_units.client import Client, ClientError

Result = TypeVar("Result")

QUIET_S = 1.0
"""How long a command waits for an answer without a word."""
ABSENT_S = 5.0
"""How long it waits where nobody listens: a server that is just starting is there by then."""
_ANOTHER = "another one is named with --address or MDS_ADDRESS"


async def patiently(client: "Client", timeout_s: float, work: Awaitable[Result]) -> Result:
    """Does work, says what it waits for where no server answers, and gives up soon where none
    has answered so far and nobody listens. A server that has answered is one that comes back.

    Raises:
        ClientError: as the work does, or nobody listens at any of the addresses.
    """
    working = asyncio.ensure_future(work)
    waiting = asyncio.create_task(_given_up(client, timeout_s))
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not working.done() and (failure := waiting.result()):
            raise failure
        return await working
    finally:
        for task in (working, waiting):
            task.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)


async def _given_up(client: "Client", timeout_s: float) -> "ClientError | None":
    """Why there is no use in waiting; None: there may be."""
    from control_units.client import Unreachable

    loop = asyncio.get_running_loop()
    began = loop.time()
    failure = await _failure(client)
    if client.position or not await _nobody_listens(client):
        tried = f"{str(failure).rstrip('.')}."
        click.echo(f"{tried} Trying again for up to {timeout_s:.0f} s; {_ANOTHER} …", err=True)
        return None
    where = ", ".join(client.addresses)
    told = f"Nobody listens at {where}." if where else str(failure)
    click.echo(f"{told} Trying again for up to {ABSENT_S:.0f} s; {_ANOTHER} …", err=True)
    await asyncio.sleep(began + ABSENT_S - loop.time())
    is_absent = client.failure is not None and await _nobody_listens(client)
    if not is_absent:
        return None
    return Unreachable(where, "nobody listens there") if where else client.failure


async def _failure(client: "Client") -> "ClientError":
    """Why no server has answered, once it has been silent for a while."""
    await asyncio.sleep(QUIET_S)
    while client.failure is None:  # noqa: ASYNC110 - only a try that failed can tell
        await asyncio.sleep(QUIET_S)
    return client.failure


async def _nobody_listens(client: "Client") -> bool:
    """Whether all addresses refuse to be connected to, or are none. The sockets tell it; gRPC
    does so only in words."""
    answers = await asyncio.gather(*map(_refuses, client.addresses))
    return all(answers)


async def _refuses(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(QUIET_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except TimeoutError:
        return False  # it may be busy, or behind a wall that says nothing
    except OSError:
        return True
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return False
