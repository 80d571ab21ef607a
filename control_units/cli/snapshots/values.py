"""`mds values`: what the inputs of units are set to now."""

from typing import Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.options import list_output
from control_units.cli.orders.commands import IdOrPattern
from control_units.cli.selecting import selection_options


@click.command(short_help="What the inputs of control units are set to now.")
@click.argument("control_units", nargs=-1, type=IdOrPattern())
@selection_options()
@click.option(
    "--attribute", "attributes", multiple=True, metavar="NAME", help="Only these attributes."
)
@list_output
@pass_connection
def values(connection: Connection, /, control_units: tuple[str, ...], **options: Any) -> None:
    """Show what the inputs of control units (their set-points) are set to, as the units last
    reported it, and how long ago each was set so.

    CONTROL_UNITS are ids, or beginnings of ids with a final * (in quotes); options narrow them.
    A value of a unit that is not ALIVE may be another one by now.

    \b
      mds values DAFNE/PL/QSK/QSKPL106
      mds values 'DAFNE/PL/*' --attribute current -o json

    Exit codes: 0 shown, 1 refused, 2 wrong use, 3 no server answers.
    """
    from control_units.cli.snapshots.value_listing import list_values

    list_values(connection, control_units, options)
