"""`mds adopt`: declares a unit server that knocked and that nobody had declared."""

from typing import TYPE_CHECKING

import click

from control_units.cli.connection import Connection, pass_connection

if TYPE_CHECKING:
    from mds.v1.sighting_pb2 import Sighting

    from control_units.client import Client

_LIMIT = 1000
_HEADERS = (
    "unit server",
    "host",
    "process",
    "address",
    "classes",
    "first seen",
    "last seen",
    "times",
)


@click.command(short_help="Declare a unit server that has knocked.")
@click.argument("unit_server", required=False)
@click.option("--reason", default="", help="Why, for the history.")
@pass_connection
def adopt(connection: Connection, unit_server: str | None, *, reason: str) -> None:
    """Declare UNIT_SERVER, which has knocked and was refused because nobody knows it. Without
    an argument, list what has knocked.

    \b
      mds adopt
      mds adopt SIMPS_0 --reason "new crate"

    Exit codes: 0 declared or listed, 1 it has not knocked or is declared, 3 no server answers.
    """
    if unit_server is None:
        _list(connection.run(_sightings))
        return
    server_id = unit_server.removeprefix("unit_servers/")
    click.echo(connection.run(lambda client: _declare(client, server_id, reason)))


async def _sightings(client: "Client") -> "list[Sighting]":
    from mds.v1.sighting_pb2 import ListSightingsRequest

    page = await client.sightings.ListSightings(ListSightingsRequest(page_size=_LIMIT))
    return list(page.sightings)


async def _declare(client: "Client", server_id: str, reason: str) -> str:
    """Declares what has been seen, and says so.

    Raises:
        click.ClickException: it has not knocked, and nobody has declared it.
    """
    from mds.v1.unit_server_pb2 import CreateUnitServerRequest, UnitServer

    name = f"unit_servers/{server_id}"
    seen = next((s for s in await _sightings(client) if s.unit_server == name), None)
    if seen is None:
        if await _is_declared(client, name):
            return f"{server_id} is declared already."
        raise click.ClickException(
            f"No unit server {server_id!r} has knocked. `mds adopt` lists those that have."
        )
    server = UnitServer(name=name, description=f"Seen on {seen.host}.")
    why = reason or f"adopted as seen on {seen.host}, process {seen.pid}"
    await client.unit_servers.CreateUnitServer(
        CreateUnitServerRequest(unit_server=server, reason=why)
    )
    return f"{server_id} is declared; it is let in when it knocks again."


async def _is_declared(client: "Client", name: str) -> bool:
    from mds.v1.unit_server_pb2 import GetUnitServerRequest

    from control_units.client import Refused

    try:
        await client.unit_servers.GetUnitServer(GetUnitServerRequest(name=name))
    except Refused as refused:
        if refused.reason == "UNIT_SERVER_NOT_FOUND":
            return False
        raise
    return True


def _list(sightings: "list[Sighting]") -> None:
    from control_units.cli.output.tables import write_table
    from control_units.cli.times import shown

    if not sightings:
        click.echo("Nothing has knocked that is not declared.", err=True)
        return
    rows = [
        (
            seen.unit_server.partition("/")[2],
            seen.host,
            str(seen.pid),
            seen.address,
            ", ".join(seen.classes),
            shown(seen.first_time),
            shown(seen.last_time),
            str(seen.count),
        )
        for seen in sightings
    ]
    write_table(_HEADERS, rows)
