"""`mds snapshot`: set-points saved under names; taken, marked, set by hand, compared, restored."""

from collections.abc import Sequence
from typing import Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.options import (
    as_of_option,
    list_output,
    output_option,
    plan_options,
    reason_option,
)
from control_units.cli.orders.commands import IdOrPattern
from control_units.cli.orders.options import order_options
from control_units.cli.selecting import selection_options

CONFIGURED = "@configured"
LIVE = "@live"
_SNAPSHOT = click.argument("snapshot", type=IdOf("snapshots"))
_MARKS = click.argument("marks", nargs=-1, required=True, metavar="MARK…")


class _Other(IdOf):
    """A snapshot, or what is intended or live."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        is_word = value in {CONFIGURED, LIVE}
        return str(value) if is_word else super().convert(value, param, ctx)


@click.group(short_help="Set-points saved under names: take, mark, compare, restore.")
def snapshot() -> None:
    """Find, take, mark, compare and restore snapshots: values of inputs (set-points), saved under a name.

    They are taken of what units report, come from files (`mds apply`, `mds import`), or are made
    by hand:

    \b
      mds snapshot take evening 'DAFNE/PL/*' --mark golden
      mds snapshot create morning --description "before the shift"
      mds snapshot set morning DAFNE/PL/QSK/QSKPL106 current 1.5
      mds snapshot mark morning golden
      mds snapshot compare morning evening --tolerance 1%
      mds snapshot compare evening @live
      mds snapshot restore evening --dry-run
    """


@snapshot.command(name="list")
@click.option("--prefix", default="", help="Only ids that begin with this text.")
@click.option("--mark", default="", help="Only snapshots with this mark.")
@as_of_option
@list_output
@pass_connection
def list_(connection: Connection, *, prefix: str, mark: str, as_of: str, output: str) -> None:
    """List snapshots with their marks, when they were taken, and how much is in them.

    \b
      mds snapshot list --mark golden
    """
    from control_units.cli.snapshots.marking import list_snapshots

    list_snapshots(connection, {"id_prefix": prefix, "mark": mark, "as_of": as_of}, output=output)


@snapshot.command()
@_SNAPSHOT
@click.option("--description", default="", help="What it is, for people.")
@reason_option
@pass_connection
def create(connection: Connection, snapshot: str, *, description: str, reason: str) -> None:
    """Create SNAPSHOT with nothing in it yet.

    \b
      mds snapshot create evening --description "by hand"
    """
    from control_units.cli.snapshots.marking import create_snapshot

    create_snapshot(connection, snapshot, description=description, reason=reason)


@snapshot.command()
@_SNAPSHOT
@_MARKS
@reason_option
@pass_connection
def mark(connection: Connection, snapshot: str, marks: Sequence[str], *, reason: str) -> None:
    """Mark SNAPSHOT with short words, such as golden.

    \b
      mds snapshot mark evening golden
    """
    from control_units.cli.snapshots.marking import change_marks

    change_marks(connection, snapshot, added=marks, reason=reason)


@snapshot.command()
@_SNAPSHOT
@_MARKS
@reason_option
@pass_connection
def unmark(connection: Connection, snapshot: str, marks: Sequence[str], *, reason: str) -> None:
    """Take marks off SNAPSHOT.

    \b
      mds snapshot unmark evening golden
    """
    from control_units.cli.snapshots.marking import change_marks

    change_marks(connection, snapshot, removed=marks, reason=reason)


@snapshot.command()
@_SNAPSHOT
@click.argument("control_units", nargs=-1, type=IdOrPattern())
@selection_options()
@click.option("--description", default="", help="What it is, for people.")
@click.option("--mark", "marks", multiple=True, help="A short word, such as golden.")
@click.option(
    "--even-so",
    is_flag=True,
    help="Leave out units without values; take the last ones of units that are not in touch.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be taken, and write nothing.")
@reason_option
@pass_connection
def take(
    connection: Connection, /, snapshot: str, control_units: tuple[str, ...], **options: Any
) -> None:
    """Take SNAPSHOT: save what the inputs of control units are set to, as the units last
    reported it.

    CONTROL_UNITS are ids, or beginnings of ids with a final * (in quotes); options narrow them.

    \b
      mds snapshot take evening 'DAFNE/PL/*' --mark golden --reason "stable for 8 h"

    Exit codes: 0 taken; 1 refused, as units have no values or are not in touch; 2 wrong use;
    3 no server answers.
    """
    from control_units.cli.snapshots.taking import take_snapshot

    take_snapshot(connection, snapshot, control_units, options)


@snapshot.command()
@_SNAPSHOT
@click.argument("control_units", nargs=-1, type=IdOrPattern())
@selection_options()
@click.option(
    "--attribute", "attributes", multiple=True, metavar="NAME", help="Only these attributes."
)
@click.option(
    "--tolerance",
    default="",
    metavar="NUMBER|PERCENT",
    help="Numbers that are no further away stay as they are: 0.01, 1% (of the larger one).",
)
@plan_options(skips_invalid=False)
@order_options
@pass_connection
def restore(
    connection: Connection, /, snapshot: str, control_units: tuple[str, ...], **options: Any
) -> None:
    """Restore SNAPSHOT, or a part of it: its values become the defaults of the inputs, by an
    operation with a result for each unit.

    CONTROL_UNITS are ids, or beginnings of ids with a final * (in quotes); options narrow them;
    without any it is all units in the snapshot. What is intended already is left out. Units
    that are initialised or running are stopped, initialised anew, and brought back: the plan
    says which.

    \b
      mds snapshot restore evening --dry-run
      mds snapshot restore evening 'DAFNE/PL/*' --attribute current --at-once 5

    Exit codes: 0 all units use the values (or, not followed, are told to); 1 refused, blocked,
    or some have not come there; 2 wrong use; 3 no server answers; 4 as of `mds apply`.
    """
    from control_units.cli.snapshots.restoring import restore_snapshot

    restore_snapshot(connection, snapshot, control_units, options)


# What is no option is a value: -1.5 is a set-point.
@snapshot.command(name="set", context_settings={"ignore_unknown_options": True})
@_SNAPSHOT
@click.argument("control_unit", type=IdOf("control_units"))
@click.argument("attribute")
@click.argument("value")
@reason_option
@pass_connection
def set_(
    connection: Connection,
    snapshot: str,
    control_unit: str,
    attribute: str,
    value: str,
    *,
    reason: str,
) -> None:
    """Set one value of SNAPSHOT. Where the unit is declared, the value is checked against what
    it shall use: an attribute that it has, its type, its range.

    \b
      mds snapshot set morning DAFNE/PL/QSK/QSKPL106 current -1.5
      mds snapshot set morning LAB/WAVE shape '[1, 2, 3]'

    Exit codes: 0 set, 1 refused, 2 wrong use, 3 no server answers.
    """
    from control_units.cli.snapshots.marking import set_value

    set_value(connection, snapshot, (control_unit, attribute, value), reason=reason)


@snapshot.command()
@_SNAPSHOT
@click.argument("other", type=_Other("snapshots"), metavar=f"OTHER|{CONFIGURED}|{LIVE}")
@click.option(
    "--tolerance",
    default="",
    metavar="NUMBER|PERCENT",
    help="How far numbers may be apart and still be equal: 0.01, 1% (of the larger one).",
)
@click.option("--units", "prefix", default="", help="Only units whose ids begin with this text.")
@click.option("--exit-code", is_flag=True, help="End with 1 where something is not equal.")
@output_option("text", "json")
@pass_connection
def compare(
    connection: Connection,
    snapshot: str,
    other: str,
    *,
    tolerance: str,
    prefix: str,
    exit_code: bool,
    output: str,
) -> None:
    """Show the values in which SNAPSHOT differs from OTHER; with @configured, from what is
    intended: the defaults that the units in it shall use; with @live, from what they last
    reported. What is equal is only counted.

    \b
      mds snapshot compare morning evening
      mds snapshot compare morning evening --tolerance 0.01 --units DAFNE/PL/
      mds snapshot compare golden-2026 @configured -o json
      mds snapshot compare golden-2026 @live --tolerance 0.1%

    Exit codes: 0 shown; 1 refused or, with --exit-code, something is not equal; 2 wrong use;
    3 no server answers.
    """
    from mds.v1.snapshot_pb2 import CompareSnapshotsRequest

    from control_units.cli.snapshots.report import compare_snapshots

    request = CompareSnapshotsRequest(name=snapshot, tolerance=tolerance, id_prefix=prefix)
    if other == CONFIGURED:
        request.configured = True
    elif other == LIVE:
        request.live = True
    else:
        request.snapshot = other
    if compare_snapshots(connection, request, output=output) and exit_code:
        raise click.exceptions.Exit(1)
