"""`mds edit`: changes the same fields of many control units."""

from typing import Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.options import plan_options
from control_units.cli.selecting import Pair, selection_options


@click.command(short_help="Change fields of many control units.")
@click.argument("control_units", nargs=-1, type=IdOf("control_units"))
@selection_options()
@click.option(
    "--set",
    "set_",
    type=Pair(),
    multiple=True,
    metavar="PATH=VALUE",
    help="What a field shall be; may be given several times.",
)
@click.option(
    "--clear", multiple=True, metavar="PATH", help="A field that shall not be set any more."
)
@click.option(
    "--stage",
    is_flag=True,
    help="Have it written as soon as no guard forbids it, by an operation that waits for that.",
)
@plan_options()
@pass_connection
def edit(connection: Connection, /, control_units: tuple[str, ...], **options: Any) -> None:
    """Change fields of all CONTROL_UNITS, or of those that options select: show what differs
    in each, ask, and do just that, in one change.

    A PATH is `current.maximum`, short for `overrides[current].maximum`; `parameters[ramp]`,
    `labels[group]`, `drivers[LIN]` (JSON), `description`, `unit_server`, `desired_state`,
    `template_version`, `level`, `requires` or `after` (ids, with commas between them).

    \b
      mds edit --prefix DAFNE/PL/ --template driver::powersupply::SCPowerSupply \\
          --set current.maximum=60 --reason "new magnets"
      mds edit DAFNE/PL/QSK/QSKPL106 --clear current.maximum --dry-run

    Exit codes: as of `mds apply`.
    """
    from control_units.cli.editing.editing import edit_units
    from control_units.cli.editing.planning import Wish
    from control_units.cli.selecting import selection_of

    if not (options["set_"] or options["clear"]):
        raise click.UsageError("Nothing to change: say --set PATH=VALUE or --clear PATH.")
    selection = selection_of(control_units, options)
    if not selection.ByteSize():
        raise click.UsageError(
            "This would be every unit of the facility: name units, or say --prefix, --zone, "
            "--template, --unit-server, --label or --state."
        )
    edit_units(
        connection,
        selection,
        Wish.of(options),
        set_=options["set_"],
        cleared=options["clear"],
        reason=options["reason"],
        is_staged=options["stage"],
    )
