"""`mds mode`: what machines are being used for; guards forbid changes in some modes."""

from typing import TYPE_CHECKING

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.options import list_output, show_output

if TYPE_CHECKING:
    from mds.v1.guard_pb2 import Guard
    from mds.v1.machine_mode_pb2 import MachineMode

    from control_units.client import Client

_HEADERS = ("id", "mode", "changed", "modes", "guards in force", "description")


@click.group(short_help="Say what machines are being used for.")
def mode() -> None:
    """Modes of machines, and of zones of them, in the words of the facility: BEAM, ACCESS. In some
    of them guards forbid changes; see `mds guard`."""


@mode.command()
@click.argument("name", metavar="MACHINE", type=IdOf("machine_modes"))
@click.argument("modes", metavar="MODE...", nargs=-1, required=True)
@click.option("--description", default="", help="What it is, for people.")
@click.option("--reason", default="", help="Why, for the history.")
@pass_connection
def create(
    connection: Connection, name: str, *, modes: tuple[str, ...], description: str, reason: str
) -> None:
    """Declare a MACHINE, with the MODEs that it may have; it is in the first of them.

    \b
      mds mode create DAFNE SHUTDOWN ACCESS BEAM --description "the ring"

    Exit codes: 0 created, 1 refused, 3 no server answers.
    """
    from mds.v1.machine_mode_pb2 import CreateMachineModeRequest, MachineMode

    wanted = MachineMode(name=name, mode=modes[0], modes=modes, description=description)
    request = CreateMachineModeRequest(machine_mode=wanted, reason=reason)

    async def call(client: "Client") -> "MachineMode":
        return await client.machine_modes.CreateMachineMode(request)

    created = connection.run(call)
    click.echo(f"{bare(created.name)} is {created.mode}; it may be {', '.join(created.modes)}.")


@mode.command("set")
@click.argument("name", metavar="MACHINE", type=IdOf("machine_modes"))
@click.argument("to", metavar="MODE")
@click.option("--reason", required=True, help="Why, for the history.")
@pass_connection
def set_(connection: Connection, name: str, *, to: str, reason: str) -> None:
    """Say that a MACHINE is in another MODE from now on.

    \b
      mds mode set DAFNE BEAM --reason "injection at 14:00"

    Exit codes: 0 it is, 1 refused, 3 no server answers.
    """
    machine, guards = connection.run(lambda client: _set(client, name, to, reason))
    forbidding = in_force(machine, guards)
    told = f"In force: {', '.join(forbidding)}." if forbidding else "No guard forbids anything."
    click.echo(f"{bare(machine.name)} is {machine.mode}. {told}")


@mode.command("list")
@list_output
@pass_connection
def list_(connection: Connection, *, output: str) -> None:
    """List all machines with their modes.

    \b
      mds mode list
    """
    from control_units.cli.output.writing import Shape, write_all
    from control_units.cli.times import shown

    machines, guards = connection.run(machines_and_guards)

    def row(each: "MachineMode") -> tuple[str, ...]:
        return (
            bare(each.name),
            each.mode,
            shown(each.update_time),
            ", ".join(each.modes),
            ", ".join(in_force(each, guards)),
            each.description,
        )

    if machines or output != "table":
        write_all(machines, Shape(_HEADERS, row, elastic=_HEADERS[3:]), output)
    else:
        click.echo("There is no machine yet: mds mode create DAFNE SHUTDOWN BEAM", err=True)


@mode.command()
@click.argument("name", metavar="MACHINE", type=IdOf("machine_modes"))
@show_output("file")
@pass_connection
def show(connection: Connection, name: str, *, output: str) -> None:
    """Show one machine, in the format of `mds export`.

    \b
      mds mode show DAFNE
    """
    from control_units.cli.looking.showing import show_declared

    show_declared(connection, name, output)


async def _set(
    client: "Client", name: str, to: str, reason: str
) -> "tuple[MachineMode, list[Guard]]":
    from google.protobuf.field_mask_pb2 import FieldMask
    from mds.v1.machine_mode_pb2 import MachineMode, UpdateMachineModeRequest

    from control_units.cli.kinds import Reads

    request = UpdateMachineModeRequest(
        machine_mode=MachineMode(name=name, mode=to, etag="*"),
        update_mask=FieldMask(paths=["mode"]),
        reason=reason,
    )
    machine = await client.machine_modes.UpdateMachineMode(request)
    return machine, [each async for each in Reads("guards").all(client)]


async def machines_and_guards(client: "Client") -> "tuple[list[MachineMode], list[Guard]]":
    from control_units.cli.kinds import Reads

    machines = [each async for each in Reads("machine_modes").all(client)]
    return machines, [each async for each in Reads("guards").all(client)]


def in_force(machine: "MachineMode", guards: "list[Guard]") -> list[str]:
    """Ids of the guards that forbid something in the mode that a machine is in."""
    return [
        bare(each.name)
        for each in guards
        if each.machine_mode == machine.name and machine.mode in each.modes
    ]


def bare(name: str) -> str:
    """The id in a name."""
    return name.partition("/")[2]
