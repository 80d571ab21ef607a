"""Waiting for units that are on their way, and telling how far they are."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

import click
from mds.v1.control_unit_pb2 import ListControlUnitStatusesRequest
from mds.v1.kind_pb2 import Kind
from mds.v1.position_pb2 import Position
from mds.v1.state_pb2 import Contact, State
from mds.v1.watch_pb2 import WatchRequest, WatchResponse

from control_units.cli.arrivals import Arrivals, Fate, Standing
from control_units.cli.connection import Connection
from control_units.cli.failures import PROBLEMS
from control_units.cli.kinds import Reads, pages
from control_units.cli.tables import columns
from control_units.client import Backoff, Client, ClientError

_SAY_EVERY_S = 1.0
_MOST = 50
"""Units that are named of those that have not come there."""

_SILENT = frozenset({Contact.CONTACT_NONE, Contact.CONTACT_LOST, Contact.CONTACT_UNKNOWN})


def arrive(
    connection: Connection, names: Sequence[str], position: Position, *, within_s: float
) -> None:
    """Waits until all units are where their declarations want them, or cannot come there.

    Args:
        position: since when something may have happened to them.

    Raises:
        click.exceptions.Exit: some have not come there; they are named.
    """
    try:
        arrivals = connection.run(lambda client: _followed(client, names, position, within_s))
    except KeyboardInterrupt:
        raise click.ClickException(
            "Not waiting any more. The order stands: `mds list` shows how far the units are."
        ) from None
    click.echo(_counts(arrivals), err=True)
    missing = list(arrivals.of(Fate.FAILED, Fate.SUPERSEDED, Fate.COMING))
    if missing:
        click.echo("\n".join(_missing_lines(missing)), err=True)
        raise click.exceptions.Exit(PROBLEMS)


async def _followed(
    client: Client, names: Sequence[str], position: Position, within_s: float
) -> Arrivals:
    ids = [name.partition("/")[2] for name in names]
    prefix = os.path.commonprefix(ids)  # noqa: RUF071 - ids are no paths
    wanted = set(names)
    everything = Reads("control_units").all(client, id_prefix=prefix)
    arrivals = Arrivals([unit async for unit in everything if unit.name in wanted])
    await _read(client, prefix, arrivals)
    try:
        async with asyncio.timeout(within_s):
            await _follow(client, prefix, position, arrivals)
    except TimeoutError:
        await _read(client, prefix, arrivals)  # contact has no events
    return arrivals


async def _read(client: Client, prefix: str, arrivals: Arrivals) -> None:
    request = ListControlUnitStatusesRequest(id_prefix=prefix)
    listed = pages(client.control_units.ListControlUnitStatuses, request, "control_unit_statuses")
    async for status in listed:
        arrivals.take_status(status)


async def _follow(client: Client, prefix: str, position: Position, arrivals: Arrivals) -> None:
    said = time.monotonic()
    told: set[str] = set()
    _tell_failures(arrivals, told)
    async with aclosing(_changes(client, prefix, position)) as changes:
        while arrivals.count(Fate.COMING):
            response = await anext(changes)
            for event in response.events:
                arrivals.take(event)
            _tell_failures(arrivals, told)
            if time.monotonic() - said >= _SAY_EVERY_S:
                click.echo(_counts(arrivals), err=True)
                said = time.monotonic()


async def _changes(
    client: Client, prefix: str, position: Position
) -> AsyncGenerator[WatchResponse, None]:
    """Changes of units and of what they say, whichever server is there to tell."""
    kinds = (Kind.KIND_CONTROL_UNIT, Kind.KIND_CONTROL_UNIT_STATUS)
    backoff = Backoff(first=0.2, longest=3.0)
    while True:
        stream = client.watch.Watch(WatchRequest(position=position, kinds=kinds, id_prefix=prefix))
        try:
            async for response in stream:
                if response.HasField("position"):
                    position = response.position
                backoff.reset()
                yield response
        except ClientError as error:
            if not error.is_transient:
                raise
        finally:
            stream.cancel()
        await asyncio.sleep(backoff.next())


def _tell_failures(arrivals: Arrivals, told: set[str]) -> None:
    """Tells at once of each unit that has failed, once."""
    for each in arrivals.of(Fate.FAILED):
        if each.unit.name not in told:
            told.add(each.unit.name)
            click.secho(f"! {'  '.join(_row(each))}", fg="red", err=True)


def _counts(arrivals: Arrivals) -> str:
    words = ((Fate.FAILED, "failed"), (Fate.SUPERSEDED, "superseded"), (Fate.COMING, "on the way"))
    counts = [(arrivals.count(fate), word) for fate, word in words]
    rest = "".join(f", {count} {word}" for count, word in counts if count)
    return f"{arrivals.count(Fate.REACHED)} of {len(arrivals)} are there{rest}."


def _missing_lines(missing: Sequence[Standing]) -> Iterator[str]:
    headers = ("id", "state", "wanted", "why")
    yield from columns(headers, [_row(each) for each in missing[:_MOST]], "  ")
    if len(missing) > _MOST:
        yield f"  and {len(missing) - _MOST} more"
    states = {each.status.state for each in missing if each.fate is Fate.FAILED}
    if State.STATE_RECOVERABLE_ERROR in states:
        yield "mds recover has those in RECOVERABLE_ERROR try again."
    if State.STATE_FATAL_ERROR in states:
        yield "mds recover --state FATAL_ERROR has those in FATAL_ERROR begin again with init."


def _row(each: Standing) -> tuple[str, str, str, str]:
    return (
        each.unit.name.partition("/")[2],
        _word(each.status.state),
        _word(each.unit.desired_state),
        each.why or _silence(each) or each.status.message,
    )


def _silence(each: Standing) -> str:
    if each.status.contact not in _SILENT:
        return ""
    contact = Contact.Name(each.status.contact).removeprefix("CONTACT_")
    server = each.unit.unit_server.partition("/")[2]
    return f"contact with {server} is {contact}" if server else "it has no unit server"


def _word(state: State.ValueType) -> str:
    return State.Name(state).removeprefix("STATE_") if state else "not known"
