"""Taking snapshots."""

from collections.abc import Sequence
from typing import Any

import click
from mds.v1.live_values_pb2 import TakeSnapshotRequest, TakeSnapshotResponse

from control_units.cli.connection import Connection
from control_units.cli.operations.words import bare
from control_units.cli.orders.patterns import selection_by
from control_units.cli.output.problems import counted
from control_units.cli.snapshots.marking import say
from control_units.cli.snapshots.report import NAMED, tell_silent
from control_units.client import Client

_PATIENCE_S = 120.0


def take_snapshot(
    connection: Connection, name: str, patterns: Sequence[str], options: dict[str, Any]
) -> None:
    """Takes it, and says of what, and whose values are missing.

    Raises:
        click.UsageError: nothing was selected.
    """
    request = TakeSnapshotRequest(
        name=name,
        selection=selection_by(patterns, options),
        description=options["description"],
        marks=options["marks"],
        even_so=options["even_so"],
        reason=options["reason"],
        validate_only=options["dry_run"],
    )

    async def work(client: Client) -> TakeSnapshotResponse:
        return await client.live_values.TakeSnapshot(request, timeout=_PATIENCE_S)

    taken = connection.run(work)
    units = taken.snapshot.units
    what = f"{counted(sum(len(each.values) for each in units), 'value')} of "
    what += counted(len(units), "control_unit")
    if request.validate_only:
        click.echo(f"{bare(name)} would have {what}.")
    else:
        say(f"{bare(name)} has {what}", taken.snapshot.revision)
    if taken.without_values:
        names = ", ".join(map(bare, taken.without_values[:NAMED]))
        more = len(taken.without_values) - NAMED
        rest = f" and {more} more" if more > 0 else ""
        click.echo(f"Left out, they have reported no values: {names}{rest}.", err=True)
    tell_silent(taken.not_in_touch)
