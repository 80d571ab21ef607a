"""Lists and single things, again each time something of them has changed."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

import click
from mds.v1.kind_pb2 import Kind
from mds.v1.view_pb2 import View
from mds.v1.watch_pb2 import Event, WatchRequest

from control_units.cli.connection import Connection
from control_units.cli.kinds import KINDS, Reads
from control_units.cli.looking.finding import found_thing
from control_units.cli.looking.shapes import STATUS_OF, shape_of
from control_units.cli.output.writing import write_all
from control_units.client import Backoff, Client, ClientError

if TYPE_CHECKING:
    from mds.v1.kind_pb2 import Kind as KindType

Reading = Callable[[Client], AsyncIterator[Any]]

_DECISIVE = (Kind.KIND_UNIT_SERVER_STATUS, Kind.KIND_MAINTENANCE)
"""Contact and health of units change with these, of whatever ids."""
_PACE_S = 0.5
"""Between two looks: what happens in between is seen at once."""
_CLEAR = "\x1b[H\x1b[2J"


def watch_list(
    connection: Connection,
    kind: str,
    reading: Reading,
    *,
    prefix: str,
    limit: int | None,
    output: str,
) -> None:
    """Shows a list, and again what of it has changed: on a terminal all of it in place, elsewhere
    a line for each thing that is new or differs, and its name with a minus for what is gone."""
    shape = shape_of(kind)
    output = {"json": "ndjson", "yaml": "ndjson"}.get(output, output)
    shown: dict[str, Any] = {}
    is_terminal = sys.stdout.isatty() and output in {"table", "wide"}

    async def look(client: Client) -> None:
        found = {shape.name(each): each async for each in reading(client)}
        if is_terminal:
            click.echo(_CLEAR, nl=False)
            room = max(1, shutil.get_terminal_size().lines - 3)
            count = min(len(found), limit or len(found))
            write_all(islice(found.values(), min(count, room)), shape, output)
            if count > room:
                click.echo(f"… and {count - room} more: say --filter, --prefix or --sort")
            return
        changed = [each for name, each in found.items() if shown.get(name) != each]
        write_all(islice(changed, limit), shape, output, has_headers=not shown)
        for name in sorted(shown.keys() - found.keys()):
            click.echo(f"- {name}" if output != "ndjson" else f'{{"name": "{name}", "gone": true}}')
        shown.clear()
        shown.update(found)
        sys.stdout.flush()

    _follow(connection, _numbers(kind), prefix, look)


def watch_one(
    connection: Connection,
    kind: str,
    resource_id: str,
    write: Callable[[str, Any, str], None],
    *,
    output: str,
) -> None:
    """Shows one thing, and again each time it has changed."""
    seen: list[Any] = []
    is_terminal = sys.stdout.isatty()

    async def look(client: Client) -> None:
        _, thing = await found_thing(client, f"{kind}/{resource_id}", as_of="")
        if seen and seen[0] == thing:
            return
        if is_terminal:
            click.echo(_CLEAR, nl=False)
        elif seen and output in {"file", "yaml"}:
            click.echo("---")
        seen[:] = [thing]
        write(kind, thing, output)
        sys.stdout.flush()

    _follow(connection, _numbers(kind), resource_id, look)


def _numbers(kind: str) -> "list[KindType.ValueType]":
    """What tells that something of a kind has changed."""
    found = [Kind.Value(f"KIND_{Reads(kind).noun.upper()}")] if kind in KINDS else []
    if kind == "operations":
        found = [Kind.KIND_OPERATION]
    if kind in STATUS_OF:
        found.append(Kind.Value(f"KIND_{Reads(kind).noun.upper()}_STATUS"))
    if kind == "control_units":
        found += _DECISIVE
    return found


def _matters(event: Event, prefix: str) -> bool:
    """Whether an event is of what is shown, or of what decides how that is."""
    if event.kind in _DECISIVE:
        return True
    names = filter(None, (event.name, event.former_name))
    return any(name.partition("/")[2].startswith(prefix) for name in names)


def _follow(
    connection: Connection,
    kinds: "list[KindType.ValueType]",
    prefix: str,
    look: Callable[[Client], Any],
) -> None:
    """Looks at once, and after each word that something has changed, until it is interrupted;
    while servers come and go, too."""
    try:
        connection.run(lambda client: follow(client, kinds, prefix, look))
    except KeyboardInterrupt:
        return


async def follow(
    client: Client,
    kinds: "list[KindType.ValueType]",
    prefix: str,
    look: Callable[[Client], Any],
) -> NoReturn:
    """The same, until it fails.

    Raises:
        ClientError: there is nothing to look at, or it cannot be watched.
    """
    backoff = Backoff(first=0.2, longest=3.0)
    asked = "" if set(_DECISIVE) & set(kinds) else prefix
    request = WatchRequest(kinds=kinds, id_prefix=asked, view=View.VIEW_BASIC)
    has_looked = False
    while True:
        try:
            if not has_looked:
                await look(client)
                has_looked = True
            is_new = True  # what happened before it, no stream tells; a word begins it at once
            async for word in client.watch.Watch(request):
                backoff.reset()
                if is_new or any(_matters(event, prefix) for event in word.events):
                    await asyncio.sleep(_PACE_S)
                    await look(client)
                is_new = False
        except ClientError as error:
            if not error.is_transient or not has_looked:
                raise
            click.echo(f"{str(error).rstrip('.')}. Trying again …", err=True)
        await asyncio.sleep(backoff.next())
