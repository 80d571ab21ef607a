"""`mds guard`: forbids changes of control units while a machine is in some modes."""

from typing import TYPE_CHECKING, Any

import click

from control_units.cli.conditions.mode import bare, in_force, machines_and_guards
from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.looking.filters import FilterText
from control_units.cli.options import list_output, show_output
from control_units.cli.selecting import Pair

if TYPE_CHECKING:
    from mds.v1.guard_pb2 import Guard

    from control_units.client import Client

_HEADERS = ("id", "machine", "in", "forbids", "of", "in force", "why")
_CHANGES = (
    "orders",
    "overrides",
    "parameters",
    "drivers",
    "template",
    "moves",
    "deletion",
    "everything",
)


@click.group(short_help="Forbid changes while a machine is in some modes.")
def guard() -> None:
    """Guards: while a machine is in one of their modes, they forbid chosen changes of chosen
    control units. What they forbid is refused, and the refusal names them."""


@guard.command()
@click.argument("name", metavar="GUARD", type=IdOf("guards"))
@click.argument("control_units", nargs=-1, type=IdOf("control_units"))
@click.option(
    "--machine",
    required=True,
    type=IdOf("machine_modes"),
    help="Whose mode counts: DAFNE; see `mds mode list`.",
)
@click.option("--in", "modes", multiple=True, required=True, help="Forbid in this mode: BEAM")
@click.option(
    "--forbid",
    "forbids",
    multiple=True,
    required=True,
    type=click.Choice(_CHANGES, case_sensitive=False),
    help="What to forbid; may be given several times.",
)
@click.option("--zone", "zones", multiple=True, help="Units of this zone, or part of one.")
@click.option("--prefix", "prefixes", multiple=True, help="Units whose ids begin so: DAFNE/PL/")
@click.option(
    "--unit-server",
    "unit_servers",
    multiple=True,
    type=IdOf("unit_servers"),
    help="Only units of this unit server.",
)
@click.option(
    "--template",
    "templates",
    multiple=True,
    type=IdOf("templates"),
    help="Only units of this template.",
)
@click.option(
    "--label",
    "labels",
    type=Pair(),
    multiple=True,
    metavar="KEY=VALUE",
    help="Only units with this label.",
)
@click.option(
    "--filter",
    "unit_filter",
    default="",
    type=FilterText(),
    help="Only units that pass this, of what is declared of them: 'overrides>0'.",
)
@click.option("--all", "all_", is_flag=True, help="All units of the facility.")
@click.option("--reason", required=True, help="Why, for all who are refused.")
@pass_connection
def create(connection: Connection, /, name: str, **options: Any) -> None:
    """Forbid changes of CONTROL_UNITS, and of those that options select.

    \b
      mds guard create magnets --machine DAFNE --in BEAM --forbid orders --forbid overrides \\
          --zone DAFNE/MAG --reason "stored beam"

    Exit codes: 0 created, 1 refused, 3 no server answers.
    """
    from mds.v1.guard_pb2 import CreateGuardRequest, Guard, GuardedChange

    prefixes = [*options["prefixes"], *(f"{zone.rstrip('/')}/" for zone in options["zones"])]
    selecting = ("control_units", "unit_servers", "templates", "labels", "unit_filter")
    if bool(prefixes or any(options[each] for each in selecting)) is options["all_"]:
        raise click.UsageError(
            "Name units, or say --zone, --prefix, --unit-server, --template, --label or --filter; "
            "or --all alone."
        )
    wanted = Guard(
        name=name,
        description=options["reason"],
        machine_mode=options["machine"],
        modes=options["modes"],
        forbids=[GuardedChange.Value(f"GUARDED_CHANGE_{e.upper()}") for e in options["forbids"]],
        control_units=options["control_units"],
        id_prefixes=prefixes,
        unit_servers=options["unit_servers"],
        templates=options["templates"],
        unit_labels=dict(options["labels"]),
        unit_filter=options["unit_filter"],
    )
    request = CreateGuardRequest(guard=wanted, reason=options["reason"])

    async def call(client: "Client") -> "Guard":
        return await client.guards.CreateGuard(request)

    created = connection.run(call)
    click.echo(f"{bare(created.name)} forbids {_forbidden(created)} in {', '.join(created.modes)}.")


@guard.command("list")
@list_output
@pass_connection
def list_(connection: Connection, *, output: str) -> None:
    """List all guards, and whether they forbid anything now.

    \b
      mds guard list
    """
    from control_units.cli.output.writing import Shape, write_all

    machines, guards = connection.run(machines_and_guards)
    forbidding = {id for machine in machines for id in in_force(machine, guards)}

    def row(each: "Guard") -> tuple[str, ...]:
        return (
            bare(each.name),
            bare(each.machine_mode),
            ", ".join(each.modes),
            _forbidden(each),
            _reach(each),
            "yes" if bare(each.name) in forbidding else "no",
            each.description,
        )

    if guards or output != "table":
        write_all(guards, Shape(_HEADERS, row, elastic=_HEADERS[3:]), output)
    else:
        click.echo("There is no guard: everything may be changed in every mode.", err=True)


@guard.command()
@click.argument("name", metavar="GUARD", type=IdOf("guards"))
@show_output("file")
@pass_connection
def show(connection: Connection, name: str, *, output: str) -> None:
    """Show one guard, in the format of `mds export`.

    \b
      mds guard show beam
    """
    from control_units.cli.looking.showing import show_declared

    show_declared(connection, name, output)


@guard.command()
@click.argument("name", metavar="GUARD", type=IdOf("guards"))
@click.option("--reason", required=True, help="Why, for the history.")
@pass_connection
def delete(connection: Connection, name: str, *, reason: str) -> None:
    """Delete a guard: what it forbade may be changed from now on. `mds undo last` brings it back.

    \b
      mds guard delete beam --reason "the run is over"

    Exit codes: 0 deleted, 1 there is none of this id, 3 no server answers.
    """
    from mds.v1.guard_pb2 import DeleteGuardRequest

    request = DeleteGuardRequest(name=name, etag="*", reason=reason)

    async def call(client: "Client") -> None:
        await client.guards.DeleteGuard(request)

    connection.run(call)
    click.echo(f"{bare(name)} forbids nothing any more.")


def _forbidden(each: "Guard") -> str:
    from mds.v1.guard_pb2 import GuardedChange

    from control_units.client.words import word_of

    return ", ".join(word_of(GuardedChange, number).lower() for number in each.forbids)


def _reach(each: "Guard") -> str:
    """Which units it is about, in few words."""
    units = [*map(bare, each.control_units), *each.id_prefixes]
    filters = [*map(bare, (*each.unit_servers, *each.templates))]
    filters += [f"{key}={value}" for key, value in sorted(each.unit_labels.items())]
    filters += filter(None, [each.unit_filter])
    named = ", ".join(units) or "all units"
    return f"{named} of {', '.join(filters)}" if filters else named
