"""`mds undo` and `mds revert`: takes changes back, as new changes."""

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.moments import Point, PointType
from control_units.cli.options import plan_options


@click.command(short_help="Take back what a change set did.")
@click.argument("change_set", metavar="REVISION|last")
@plan_options()
@pass_connection
def undo(connection: Connection, /, change_set: str, **options: object) -> None:
    """Take back what the change set of a REVISION did (`mds changes` lists them), field by
    field; what others changed elsewhere since stays. `last` is the newest change set of yours.
    It is a new change, which can be undone in turn.

    \b
      mds undo 135 --dry-run
      mds undo 135 --reason "wrong magnets"
      mds undo last

    Exit codes: as of `mds apply`.
    """
    from control_units.cli.editing.planning import Wish
    from control_units.cli.editing.undoing import last_of_mine, undo_change_set

    wish = Wish.of(options)
    if change_set == "last":
        name = last_of_mine(connection)
    else:
        name = f"change_sets/{change_set.removeprefix('change_sets/')}"
    undo_change_set(connection, name, wish, reason=str(options["reason"]))


@click.command(short_help="Make a resource what it was at a moment.")
@click.argument("point", metavar="NAME@MOMENT", type=PointType())
@plan_options(skips_invalid=False)
@pass_connection
def revert(connection: Connection, /, point: Point, **options: object) -> None:
    """Make a resource what it was at a MOMENT: a revision, a local time, or how long ago. One
    that was deleted since comes back with its history. It is a new change, which can be undone.

    \b
      mds revert DAFNE/PL/QSK/QSKPL106@120 --reason "as before the shift"
      mds revert unit_servers/SIMPS_0@'2026-11-15 03:12' --dry-run

    Exit codes: as of `mds apply`.
    """
    from control_units.cli.editing.planning import Wish
    from control_units.cli.editing.undoing import revert_resource

    if not (point.name and point.as_of):
        raise click.UsageError(
            "One resource is reverted, to a moment of the past, like DAFNE/PL/QSKPL106@120; "
            "`mds undo` takes back a whole change set."
        )
    revert_resource(connection, point, Wish.of(options), reason=str(options["reason"]))
