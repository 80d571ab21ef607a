"""`mds import` and `mds export`: facilities as files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import KINDS
from control_units.cli.options import as_of_option, output_option

if TYPE_CHECKING:
    from control_units.importers.findings import Reading

Command = TypeVar("Command", bound=Callable[..., None])

_UNITS = "control_units"


@click.group(name="import")
def import_() -> None:
    """Take a facility in from a file, all of it or nothing.

    Everything is checked first, and all problems are told with their places. Importing the
    same file again changes nothing.
    """


def _options(command: Command) -> Command:
    """What all imports can be told."""
    for option in (
        output_option("text", "json"),
        click.option("--reason", help="Why, for the history; else the name of the file."),
        click.option(
            "--skip-invalid",
            is_flag=True,
            help="Leave out what has problems, and what depends on it, and take the rest.",
        ),
        click.option(
            "--on-conflict",
            type=click.Choice(["fail", "skip", "replace"]),
            default="fail",
            show_default=True,
            help="What to do with what is there already and differs.",
        ),
        click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing."),
        click.argument("file", type=click.File("rb")),
    ):
        command = option(command)
    return command


@import_.command()
@_options
@pass_connection
def chaos(connection: Connection, /, file: BinaryIO, **options: object) -> None:
    """Read FILE, an export of a !CHAOS site or its catalogue of classes (JSON).

    \b
      mds import chaos site.json --dry-run

    Exit codes: 0 taken (with --skip-invalid: without what has problems), 1 problems found and
    nothing written, 2 wrong use, 3 no server answers.
    """
    from control_units.importers.chaos import read_chaos

    _import(connection, file, read_chaos, options)


@import_.command()
@_options
@pass_connection
def facility(connection: Connection, /, file: BinaryIO, **options: object) -> None:
    """Read FILE, in the format of `mds export` (YAML or JSON).

    \b
      mds import facility facility.yaml --on-conflict skip

    Exit codes: as of `mds import chaos`.
    """
    from control_units.importers.facility import read_facility

    _import(connection, file, read_facility, options)


def _import(
    connection: Connection,
    file: BinaryIO,
    read: "Callable[[bytes], Reading]",
    options: dict[str, object],
) -> None:
    from control_units.cli.transfer.importing import Order, carry_out

    carry_out(
        connection,
        read(file.read()),
        Order(
            file=Path(file.name).name,
            is_dry_run=bool(options["dry_run"]),
            on_conflict=str(options["on_conflict"]),
            skips_invalid=bool(options["skip_invalid"]),
            reason=str(options["reason"] or f"import of {Path(file.name).name}"),
            output=str(options["output"]),
        ),
    )


@click.command(short_help="Write the facility, or a part of it, as a file.")
@output_option("yaml", "json", "csv")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    help="Only these; may be given several times.",
)
@click.option("--prefix", default="", help="Only ids that begin with this text.")
@click.option(
    "--with-scope",
    is_flag=True,
    help="Say in the file what it names in full, for `mds apply --prune`.",
)
@as_of_option
@pass_connection
def export(
    connection: Connection,
    *,
    output: str,
    kinds: tuple[str, ...],
    prefix: str,
    with_scope: bool,
    as_of: str,
) -> None:
    """Write the facility to standard output, as `mds apply` and `mds import facility` take it.

    All of it is as of one moment; equal facilities give equal files, byte by byte. CSV is a table
    of control units, to be edited in a spreadsheet.

    \b
      mds export >facility.yaml
      mds export --kind control_units --prefix DAFNE/PL/ --with-scope >pl.yaml
      mds export --as-of '2026-11-15 03:12' >that-night.yaml
      mds export -o csv --prefix RING/MAG/ >magnets.csv
    """
    from control_units.cli.transfer.exporting import write_export

    if output == "csv":
        if set(kinds) - {_UNITS} or with_scope:
            raise click.UsageError("A table has control units alone, and no scope.")
        kinds = (_UNITS,)
    write_export(connection, output, kinds=kinds, prefix=prefix, as_of=as_of, has_scope=with_scope)
