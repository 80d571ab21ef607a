"""`mds apply`: makes a facility, or a part of it, what files say."""

from pathlib import Path

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.options import plan_options


@click.command(short_help="Make the facility what files say.")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE|FOLDER|-…",
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@click.option(
    "--prune",
    is_flag=True,
    help="Remove what is in the scope that the files declare, and no longer in the files.",
)
@plan_options()
@pass_connection
def apply(
    connection: Connection, /, files: tuple[Path, ...], *, prune: bool, **options: object
) -> None:
    """Make the facility what FILES say: show what differs, ask, and do just that, in one
    change.

    Files are YAML or JSON as `mds export` writes them, or tables (CSV) whose rows change fields
    of control units; a folder stands for all such files in it, in sorted order; `-` is standard
    input. What they do not name stays as it is, unless they list it under `remove:`, or --prune
    is given and it lies in their `scope:`.

    \b
      mds export --kind control_units --prefix DAFNE/PL/ --with-scope >pl.yaml
      mds apply pl.yaml --dry-run
      mds apply site/ --prune --reason "shutdown of May"
      mds apply magnets.csv

    Exit codes: 0 done, or nothing to do; 1 problems found, refused, or somebody changed the
    same things meanwhile: nothing written; 2 wrong use; 3 no server answers; 4 with --dry-run
    and --detailed-exit-code: there is something to do.
    """
    from control_units.cli.editing.applying import apply_files
    from control_units.cli.editing.planning import Wish

    apply_files(connection, files, Wish.of(options), reason=str(options["reason"]), is_pruned=prune)
