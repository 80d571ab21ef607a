"""`mds delete`: removes resources, after it has said what depends on them."""

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import ResourceName
from control_units.cli.options import plan_options


@click.command(short_help="Delete resources, after it has said what depends on them.")
@click.argument("names", nargs=-1, required=True, type=ResourceName(), metavar="NAME…")
@plan_options()
@pass_connection
def delete(connection: Connection, /, names: tuple[str, ...], **options: object) -> None:
    """Delete resources, in one change: KIND/ID, or the id of a control unit.

    First it says what depends on them, which units are running, and who changed them last. Their
    history stays, and `mds undo` with the revision that is told at the end brings them back.

    \b
      mds delete DAFNE/PL/QSK/QSKPL106 --dry-run
      mds delete unit_servers/SIMPS_9 agents/plc9 --reason "dismantled"

    Exit codes: as of `mds apply`.
    """
    from control_units.cli.editing.applying import removal_change
    from control_units.cli.editing.planning import Source, Wish, carry_out

    wish = Wish.of(options)
    change = removal_change(names, reason=str(options["reason"]), skips_invalid=wish.skips_invalid)
    carry_out(connection, change, wish, source=Source(count=len(names)))
