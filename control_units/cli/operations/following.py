"""Following an operation until it has ended."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import click
from mds.v1.kind_pb2 import Kind
from mds.v1.operation_pb2 import GetOperationRequest
from mds.v1.operation_step_pb2 import ListOperationStepsRequest, StepState
from mds.v1.view_pb2 import View
from mds.v1.watch_pb2 import WatchRequest, WatchResponse

from control_units.cli.connection import Connection
from control_units.cli.failures import PROBLEMS
from control_units.cli.operations.unfolding import Unfolding
from control_units.cli.operations.unfolding_screen import end_lines, screen_for
from control_units.cli.operations.words import bare
from control_units.client import Backoff, Client, ClientError, Unreachable

_PAGE = 1000
_PACE_S = 0.1
"""Between two looks: what happens in between is seen at once."""
_PATIENCE_S = 5.0
"""How long a look may take before it counts as no answer."""
_WAITS_S = 1.0
"""Between two questions what the next step waits for: a server looks at all steps for it."""
_SILENCE_S = 20.0
"""Without a word on a watch: a server that is well says some every few seconds."""


def follow_operation(
    connection: Connection, name: str, *, within_s: float | None = None
) -> Unfolding:
    """Shows how an operation goes on until it has ended, and what it came to.

    Args:
        name: `operations/{id}`.
        within_s: how long at most; None: until it has ended.

    Raises:
        click.ClickException: it was interrupted, or has not ended in time; the operation goes on.
        Refused: there is no such operation.
    """
    advice = (
        f"The operation goes on by itself. To watch it: mds operation watch {bare(name)}; "
        f"to end it: mds operation abort {bare(name)}"
    )
    try:
        found = connection.run(
            lambda client: _shown(client, name, within_s), timeout_s=_PATIENCE_S, says_why=False
        )
    except KeyboardInterrupt:
        raise click.ClickException(f"Not watching any more. {advice}") from None
    except TimeoutError:
        raise click.ClickException(f"It has not ended in {within_s:g} s. {advice}") from None
    for line in end_lines(found):
        click.echo(line, err=True)
    return found


def follow_to_exit(connection: Connection, name: str, *, within_s: float | None = None) -> None:
    """The same, for commands that end with it.

    Raises:
        click.exceptions.Exit: some units have not come there.
    """
    if not follow_operation(connection, name, within_s=within_s).is_reached:
        raise click.exceptions.Exit(PROBLEMS)


async def _shown(client: Client, name: str, within_s: float | None) -> Unfolding:
    with screen_for() as screen:
        async with asyncio.timeout(within_s), aclosing(unfold(client, name)) as looks:
            async for look in looks:
                screen.show(look)
    return look


async def unfold(client: Client, name: str) -> AsyncGenerator[Unfolding, None]:
    """An operation each time something of it has changed, whichever server is there to tell,
    until it has ended.

    Raises:
        Refused: there is no such operation.
    """
    unfolding = Unfolding(await client.operations.GetOperation(GetOperationRequest(name=name)))
    backoff = Backoff(first=0.2, longest=3.0)
    while True:
        is_answered = False
        try:
            async with aclosing(_looks(client, unfolding)) as looks:
                async for _ in looks:
                    is_answered = True
                    unfolding.lost = None
                    backoff.reset()
                    yield unfolding
                    if unfolding.is_over:
                        return
        except ClientError as error:
            if not error.is_transient:
                raise
            if not is_answered:  # else it is the end of one stream, and the next may go well
                unfolding.lost = error
                yield unfolding
        await asyncio.sleep(backoff.next())


async def _looks(client: Client, unfolding: Unfolding) -> AsyncGenerator[None, None]:
    """A look at once, and one after each word that something has changed.

    Raises:
        ClientError: no server answers any more.
    """
    request = WatchRequest(
        kinds=[Kind.KIND_OPERATION],
        id_prefix=bare(unfolding.operation.name),
        view=View.VIEW_BASIC,
    )
    seen, asked = 0, float("-inf")
    # It begins with now, and with a word at once: nothing in between is missed.
    stream = client.watch.Watch(request)
    try:
        while (word := await _next_word(client, stream)) is not None:
            if not word.events or word.events[-1].revision > seen:
                seen = await _look(client, unfolding, after=seen)
                if unfolding.operation.counts.pending and time.monotonic() - asked >= _WAITS_S:
                    await _ask_what_is_next(client, unfolding)
                    asked = time.monotonic()
                yield
                await asyncio.sleep(_PACE_S)
    finally:
        stream.cancel()


async def _next_word(client: Client, stream: Any) -> WatchResponse | None:
    try:
        async with asyncio.timeout(_SILENCE_S):
            word: WatchResponse | None = await anext(stream, None)
    except TimeoutError:
        client.leave(stream.address)
        raise Unreachable(stream.address, f"not a word in {_SILENCE_S:.0f} s") from None
    return word


async def _look(client: Client, unfolding: Unfolding, *, after: int) -> int:
    """Reads the operation, and what has changed of its steps; up to which revision."""
    name = unfolding.operation.name
    unfolding.operation = await client.operations.GetOperation(GetOperationRequest(name=name))
    request = ListOperationStepsRequest(operation=name, page_size=_PAGE, changed_after=after)
    first = page = await client.operations.ListOperationSteps(request)
    while True:
        unfolding.take(page.steps)
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return first.position.revision  # a step of this page may have changed since
        page = await client.operations.ListOperationSteps(request)


async def _ask_what_is_next(client: Client, unfolding: Unfolding) -> None:
    pending = [StepState.STEP_STATE_PENDING]
    request = ListOperationStepsRequest(
        operation=unfolding.operation.name, states=pending, page_size=1
    )
    page = await client.operations.ListOperationSteps(request)
    unfolding.next = page.steps[0] if page.steps else None
