"""`mds maintenance`: tells that control units are worked on, and that they are not any more."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.options import list_output, show_output
from control_units.cli.times import Ahead

if TYPE_CHECKING:
    from mds.v1.maintenance_pb2 import Maintenance

    from control_units.client import Client

_HEADERS = ("id", "since", "until", "covers", "why")


@click.group(short_help="Tell that control units are worked on.")
def maintenance() -> None:
    """Maintenance of control units: while it lasts, they are left as they are, take no orders,
    and do not count as abnormal."""


@maintenance.command()
@click.argument("control_units", nargs=-1, type=IdOf("control_units"))
@click.option(
    "--unit-server",
    "unit_servers",
    multiple=True,
    type=IdOf("unit_servers"),
    help="All units of this unit server, and itself.",
)
@click.option("--prefix", "prefixes", multiple=True, help="Ids that begin so: DAFNE/PL/")
@click.option("--zone", "zones", multiple=True, help="This zone, or part of one: DAFNE, DAFNE/PL")
@click.option("--reason", required=True, help="Why, for all who wonder.")
@click.option("--until", type=Ahead(), help="When it ends by itself: 2h, '2026-11-15 18:00'.")
@click.option("--id", "maintenance_id", help="What to call it; else one is made up.")
@pass_connection
def begin(connection: Connection, /, control_units: tuple[str, ...], **options: Any) -> None:
    """Begin a maintenance of CONTROL_UNITS, and of those that options select.

    \b
      mds maintenance begin DAFNE/PL/QSK/QSKPL106 --reason "new cooling" --until 2h
      mds maintenance begin --zone DAFNE/PL --unit-server SIMPS_0 --reason "shutdown"

    Exit codes: 0 begun, 1 refused, 3 no server answers.
    """
    from mds.v1.maintenance_pb2 import Maintenance

    prefixes = [*options["prefixes"], *(f"{zone.rstrip('/')}/" for zone in options["zones"])]
    if not (control_units or options["unit_servers"] or prefixes):
        raise click.UsageError("Name units, or say --unit-server, --prefix or --zone.")
    wanted = Maintenance(
        name=f"maintenances/{options['maintenance_id'] or _new_id()}",
        description=options["reason"],
        control_units=control_units,
        unit_servers=options["unit_servers"],
        id_prefixes=prefixes,
    )
    if options["until"] is not None:
        wanted.end_time.FromDatetime(options["until"])
    begun = connection.run(lambda client: _begin(client, wanted))
    until = _until(begun)
    click.echo(
        f"{_id(begun)} has begun, {f'until {until}' if until else 'until it is ended'}. "
        f"End it with: mds maintenance end {_id(begun)}"
    )


@maintenance.command()
@click.argument("name", metavar="ID", type=IdOf("maintenances"))
@click.option("--reason", default="", help="Why, for the history.")
@pass_connection
def end(connection: Connection, name: str, *, reason: str) -> None:
    """End a maintenance now: what people want of its units counts again.

    \b
      mds maintenance end 2026-11-21-4f2a

    Exit codes: 0 ended, 1 there is none of this id, 3 no server answers.
    """
    connection.run(lambda client: _end(client, name, reason))
    click.echo(f"{name.partition('/')[2]} has ended.")


@maintenance.command("list")
@list_output
@pass_connection
def list_(connection: Connection, *, output: str) -> None:
    """List all maintenances, also those that are over.

    \b
      mds maintenance list
      mds maintenance list -o csv
    """
    from control_units.cli.output.writing import Shape, write_all

    found = connection.run(_all)
    if found or output != "table":
        write_all(found, Shape(_HEADERS, _row, elastic=("covers", "why")), output)
    else:
        click.echo("Nothing is in maintenance.", err=True)


def _row(each: "Maintenance") -> tuple[str, ...]:
    from control_units.cli.times import shown

    return (
        _id(each),
        shown(each.begin_time if each.HasField("begin_time") else each.create_time),
        _until(each) or "it is ended",
        ", ".join([*map(_bare, (*each.control_units, *each.unit_servers)), *each.id_prefixes]),
        each.description,
    )


@maintenance.command()
@click.argument("name", metavar="ID", type=IdOf("maintenances"))
@show_output("file")
@pass_connection
def show(connection: Connection, name: str, *, output: str) -> None:
    """Show one maintenance, in the format of `mds export`.

    \b
      mds maintenance show 2026-11-21-4f2a
    """
    from control_units.cli.looking.showing import show_declared

    show_declared(connection, name, output)


async def _begin(client: "Client", wanted: "Maintenance") -> "Maintenance":
    from mds.v1.maintenance_pb2 import CreateMaintenanceRequest

    request = CreateMaintenanceRequest(maintenance=wanted, reason=wanted.description)
    return await client.maintenances.CreateMaintenance(request)


async def _end(client: "Client", name: str, reason: str) -> None:
    from mds.v1.maintenance_pb2 import DeleteMaintenanceRequest

    request = DeleteMaintenanceRequest(name=name, etag="*", reason=reason or "it is over")
    await client.maintenances.DeleteMaintenance(request)


async def _all(client: "Client") -> "list[Maintenance]":
    from control_units.cli.kinds import Reads

    return [each async for each in Reads("maintenances").all(client)]


def _new_id() -> str:
    """One that sorts by when it was made, and is short enough to be typed."""
    import secrets
    from datetime import UTC

    return f"{datetime.now(UTC):%Y-%m-%d}-{secrets.token_hex(2)}"


def _id(each: "Maintenance") -> str:
    return _bare(each.name)


def _bare(name: str) -> str:
    return name.partition("/")[2]


def _until(each: "Maintenance") -> str:
    from control_units.cli.times import shown

    return shown(each.end_time)
