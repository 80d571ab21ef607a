"""`mds rename` and `mds copy`: a control unit under another id, and another one like it."""

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.options import as_of_option, reason_option


@click.command(short_help="Give a control unit another id.")
@click.argument("old", type=IdOf("control_units"))
@click.argument("new", type=IdOf("control_units"))
@reason_option
@click.option("--dry-run", is_flag=True, help="Check everything, and write nothing.")
@pass_connection
def rename(connection: Connection, old: str, new: str, *, reason: str, dry_run: bool) -> None:
    """Give the control unit OLD the id NEW. Its overrides, status, lives and history stay with
    it, and its history is found under both ids.

    \b
      mds rename DAFNE/PL/QSKPL106 DAFNE/PL/QSK/QSKPL106 --reason "as in the drawings"

    Exit codes: 0 done, 1 refused, 2 wrong use, 3 no server answers.
    """
    from mds.v1.control_unit_pb2 import (
        ControlUnit,
        GetControlUnitRequest,
        RenameControlUnitRequest,
    )

    from control_units.client import Client

    async def work(client: Client) -> ControlUnit:
        unit = await client.control_units.GetControlUnit(GetControlUnitRequest(name=old))
        return await client.control_units.RenameControlUnit(
            RenameControlUnitRequest(
                name=old, new_name=new, etag=unit.etag, reason=reason, validate_only=dry_run
            )
        )

    unit = connection.run(work)
    _say(f"{_id(old)} is now {_id(new)}", unit.revision, is_trial=dry_run)


@click.command(short_help="Declare a control unit as another one is.")
@click.argument("old", type=IdOf("control_units"))
@click.argument("new", type=IdOf("control_units"))
@click.option(
    "--unit-server", type=IdOf("unit_servers"), help="That hosts the new one; else that of OLD."
)
@as_of_option
@reason_option
@click.option("--dry-run", is_flag=True, help="Check everything, and write nothing.")
@pass_connection
def copy(
    connection: Connection,
    old: str,
    new: str,
    *,
    unit_server: str | None,
    as_of: str,
    reason: str,
    dry_run: bool,
) -> None:
    """Declare a control unit NEW as OLD is declared: template, overrides, drivers, parameters.

    \b
      mds copy DAFNE/PL/QSK/QSKPL106 DAFNE/PL/QSK/QSKPL107 --unit-server SIMPS_2

    Exit codes: 0 done, 1 refused, 2 wrong use, 3 no server answers.
    """
    from mds.v1.control_unit_pb2 import ControlUnit, CopyControlUnitRequest

    from control_units.client import Client

    request = CopyControlUnitRequest(
        name=old,
        new_name=new,
        unit_server=unit_server or "",
        as_of=as_of,
        reason=reason,
        validate_only=dry_run,
    )

    async def work(client: Client) -> ControlUnit:
        return await client.control_units.CopyControlUnit(request)

    unit = connection.run(work)
    _say(f"{_id(new)} is declared as {_id(old)} is", unit.revision, is_trial=dry_run)


def _id(name: str) -> str:
    return name.partition("/")[2]


def _say(what: str, revision: int, *, is_trial: bool) -> None:
    if is_trial:
        click.echo(f"Nothing was written. It would be: {what}.")
        return
    click.secho(f"Done at revision {revision}: {what}.", bold=True)
    click.echo(f"To take it back: mds undo {revision}")
