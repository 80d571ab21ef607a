"""`mds unit-list`: control units under a name, to be selected by it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf, Reads, parts
from control_units.cli.looking.filters import FilterText
from control_units.cli.options import list_output, show_output
from control_units.cli.selecting import Pair

if TYPE_CHECKING:
    from mds.v1.unit_list_pb2 import UnitList

    from control_units.client import Client

_HEADERS = ("id", "holds", "what for")
_NAME = click.argument("name", metavar="LIST", type=IdOf("unit_lists"))
_UNITS = click.argument("control_units", nargs=-1, required=True, type=IdOf("control_units"))
_REASON = click.option("--reason", default="", help="Why, for the history.")


@click.group("unit-list", short_help="Keep control units under a name.")
def unit_list() -> None:
    """Saved lists of control units: `--list LIST` selects what is on one, as it is by then."""


@unit_list.command()
@_NAME
@click.argument("control_units", nargs=-1, type=IdOf("control_units"))
@click.option("--prefix", "prefixes", multiple=True, help="Units whose ids begin so: DAFNE/PL/")
@click.option("--zone", "zones", multiple=True, help="Units of this zone, or part of one.")
@click.option(
    "--label",
    "labels",
    type=Pair(),
    multiple=True,
    metavar="KEY=VALUE",
    help="Of those only units with this label; alone: all units with it.",
)
@click.option(
    "--filter",
    "unit_filter",
    default="",
    type=FilterText(),
    help="Of those only units that pass this whenever the list is used; alone: all that do.",
)
@click.option("--description", default="", help="What the list is for.")
@_REASON
@pass_connection
def create(connection: Connection, /, name: str, **options: Any) -> None:
    """Save a list of CONTROL_UNITS, and of those that options select.

    \b
      mds unit-list create night-shift RING/MAG/DIP/DIPRG01 --description "look at 3 a.m."
      mds unit-list create correctors --zone RING/COR --label plane=horizontal
      mds unit-list create silent --filter 'contact=LOST,SUSPECT -maintenance'

    Exit codes: 0 saved, 1 refused, 3 no server answers.
    """
    from mds.v1.unit_list_pb2 import CreateUnitListRequest, UnitList

    prefixes = [*options["prefixes"], *(f"{zone.rstrip('/')}/" for zone in options["zones"])]
    selecting = ("control_units", "labels", "unit_filter")
    if not (prefixes or any(options[each] for each in selecting)):
        raise click.UsageError("Name units, or say --prefix, --zone, --label or --filter.")
    wanted = UnitList(
        name=name,
        description=options["description"],
        control_units=options["control_units"],
        id_prefixes=prefixes,
        unit_labels=dict(options["labels"]),
        unit_filter=options["unit_filter"],
    )
    request = CreateUnitListRequest(unit_list=wanted, reason=options["reason"])

    async def call(client: "Client") -> "UnitList":
        return await client.unit_lists.CreateUnitList(request)

    _tell(connection.run(call))


@unit_list.command()
@_NAME
@_UNITS
@_REASON
@pass_connection
def add(connection: Connection, name: str, control_units: tuple[str, ...], *, reason: str) -> None:
    """Put CONTROL_UNITS on a list.

    \b
      mds unit-list add night-shift RING/MAG/DIP/DIPRG01
    """
    _name(connection, name, reason=reason, added=control_units)


@unit_list.command()
@_NAME
@_UNITS
@_REASON
@pass_connection
def remove(
    connection: Connection, name: str, control_units: tuple[str, ...], *, reason: str
) -> None:
    """Take CONTROL_UNITS off a list that names them.

    \b
      mds unit-list remove night-shift RING/MAG/DIP/DIPRG01
    """
    _name(connection, name, reason=reason, removed=control_units)


@unit_list.command("list")
@list_output
@pass_connection
def list_(connection: Connection, *, output: str) -> None:
    """List all saved lists.

    \b
      mds unit-list list
    """
    from control_units.cli.output.writing import Shape, write_all

    async def call(client: "Client") -> "list[UnitList]":
        return [each async for each in Reads("unit_lists").all(client)]

    def row(each: "UnitList") -> tuple[str, ...]:
        return (parts(each.name)[1], _holds(each), each.description)

    found = connection.run(call)
    if found or output != "table":
        write_all(found, Shape(_HEADERS, row, elastic=_HEADERS[1:]), output)
    else:
        click.echo("No list has been saved.", err=True)


@unit_list.command()
@_NAME
@show_output("file")
@pass_connection
def show(connection: Connection, name: str, *, output: str) -> None:
    """Show one list, in the format of `mds export`.

    \b
      mds unit-list show night-shift
    """
    from control_units.cli.looking.showing import show_declared

    show_declared(connection, name, output)


@unit_list.command()
@_NAME
@_REASON
@pass_connection
def delete(connection: Connection, name: str, *, reason: str) -> None:
    """Delete a list; its units stay as they are.

    \b
      mds unit-list delete night-shift
    """
    from mds.v1.unit_list_pb2 import DeleteUnitListRequest

    request = DeleteUnitListRequest(name=name, etag="*", reason=reason)

    async def call(client: "Client") -> None:
        await client.unit_lists.DeleteUnitList(request)

    connection.run(call)
    click.echo(f"{parts(name)[1]} is deleted.")


def _name(
    connection: Connection,
    name: str,
    *,
    reason: str,
    added: Iterable[str] = (),
    removed: Iterable[str] = (),
) -> None:
    """Names other units on a list, from what is there.

    Raises:
        click.ClickException: units to be taken off are not named there.
    """
    from google.protobuf.field_mask_pb2 import FieldMask
    from mds.v1.unit_list_pb2 import UpdateUnitListRequest

    async def call(client: "Client") -> "UnitList":
        wanted: UnitList = await Reads("unit_lists").get(client, parts(name)[1])
        missing = sorted(set(removed) - set(wanted.control_units))
        if missing:
            raise click.ClickException(
                f"{parts(name)[1]} does not name {', '.join(parts(each)[1] for each in missing)}."
            )
        named = (set(wanted.control_units) | set(added)) - set(removed)
        wanted.control_units[:] = sorted(named)
        mask = FieldMask(paths=["control_units"])
        request = UpdateUnitListRequest(unit_list=wanted, update_mask=mask, reason=reason)
        return await client.unit_lists.UpdateUnitList(request)

    _tell(connection.run(call))


def _tell(saved: "UnitList") -> None:
    bare = parts(saved.name)[1]
    click.echo(f"{bare} holds {_holds(saved)}. Select it with: --list {bare}")


def _holds(each: "UnitList") -> str:
    """`A/1, A/2; B/ with shift=night, state=RUNNING`."""
    named = ", ".join(parts(name)[1] for name in each.control_units)
    filters = [f"{key}={each.unit_labels[key]}" for key in sorted(each.unit_labels)]
    filters += filter(None, [each.unit_filter])
    rest = ", ".join(each.id_prefixes)
    if filters:
        rest = f"{rest or 'all'} with {', '.join(filters)}"
    return "; ".join(filter(None, (named, rest)))
