"""Looking at a facility again and again, until somebody has seen enough."""

import asyncio
import os
import signal

from mds.v1.operation_pb2 import ListOperationsRequest, OperationPhase
from mds.v1.overview_pb2 import GetOverviewRequest
from mds.v1.view_pb2 import View
from mds.v1.watch_pb2 import WatchRequest

from control_units.cli.connection import Connection
from control_units.cli.operations.options import ACTIVE
from control_units.cli.top.picture import lines_of
from control_units.cli.top.sight import Sight
from control_units.cli.top.terminal import Terminal
from control_units.client import Backoff, Client, ClientError

_PATIENCE_S = 5.0
_OPERATIONS = 50
_PHASES = [OperationPhase.Value(f"OPERATION_PHASE_{each}") for each in ACTIVE]


def show_top(connection: Connection, *, every_s: float) -> None:
    """Shows it until a key or a signal ends it."""
    connection.run(lambda client: _run(client, every_s), timeout_s=_PATIENCE_S, says_why=False)


def look_once(connection: Connection, width: int, height: int) -> list[str]:
    """The lines of one look, for where there is no terminal."""

    async def work(client: Client) -> list[str]:
        sight = Sight(address=client.address)
        await _look(client, sight)
        return lines_of(sight, width, height)[:-1]

    return connection.run(work)


async def _run(client: Client, every_s: float) -> None:
    sight, terminal = (
        Sight(address=client.address),
        Terminal(has_colours=not os.environ.get("NO_COLOR")),
    )
    changed, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGWINCH, changed.set)
    loop.add_signal_handler(signal.SIGTSTP, terminal.rest)
    with terminal.taken():
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(_keep_looking(client, sight, changed, every_s)),
                tasks.create_task(_count_events(client, sight)),
                tasks.create_task(_take_keys(terminal, sight, changed, ended)),
                tasks.create_task(_draw(terminal, sight, changed)),
            ]
            await ended.wait()
            for task in running:
                task.cancel()


async def _draw(terminal: Terminal, sight: Sight, changed: asyncio.Event) -> None:
    while True:
        changed.clear()
        terminal.show(lines_of(sight, *terminal.size()))
        await changed.wait()


async def _take_keys(
    terminal: Terminal, sight: Sight, changed: asyncio.Event, ended: asyncio.Event
) -> None:
    while True:
        if sight.press(await terminal.keys.get()):
            ended.set()
        changed.set()


async def _keep_looking(
    client: Client, sight: Sight, changed: asyncio.Event, every_s: float
) -> None:
    while True:
        try:
            await _look(client, sight)
        except ClientError as error:
            sight.failure = str(error)
        changed.set()
        await asyncio.sleep(every_s)


async def _look(client: Client, sight: Sight) -> None:
    request = ListOperationsRequest(
        phases=_PHASES, page_size=_OPERATIONS, order_by="create_time desc"
    )
    overview, page = await asyncio.gather(
        client.overview.GetOverview(GetOverviewRequest()),
        client.operations.ListOperations(request),
    )
    sight.overview, sight.operations = overview, list(page.operations)
    sight.failure, sight.address = "", client.address


async def _count_events(client: Client, sight: Sight) -> None:
    backoff = Backoff(first=0.2, longest=5.0)
    while True:
        try:
            async for word in client.watch.Watch(WatchRequest(view=View.VIEW_BASIC)):
                backoff.reset()
                sight.rate.add(len(word.events))
        except ClientError:
            pass  # what `_keep_looking` meets is told
        await asyncio.sleep(backoff.next())
