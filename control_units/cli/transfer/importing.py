"""From a reading of a file to a facility that has it, or to a report of what stands against."""

from dataclasses import dataclass

import click
from mds.v1.bundle_pb2 import BundleHeader, BundleItem, OnConflict

from control_units.cli.connection import Connection
from control_units.cli.failures import PROBLEMS
from control_units.cli.output.progress import progress_bar
from control_units.cli.transfer.import_report import Report, as_json, as_text
from control_units.client import Client, Unreachable
from control_units.importers.apply import Outcome, apply_bundle, without_oversized
from control_units.importers.findings import Reading


@dataclass(frozen=True, slots=True)
class Order:
    """How a file is to be imported."""

    file: str
    is_dry_run: bool
    on_conflict: str
    skips_invalid: bool
    reason: str
    output: str


def carry_out(connection: Connection, reading: Reading, order: Order) -> None:
    """Imports what was read, and reports. Where the file has problems and they are not to be
    skipped, the server is still asked what it has against the rest, so that all is told.

    Raises:
        ClientError: no server took it, and the file itself has no problems.
        click.exceptions.Exit: something stands against it.
    """
    items = without_oversized(reading.items, reading.findings)
    is_stopped = bool(reading.findings.problems) and not order.skips_invalid
    header = BundleHeader(
        reason=order.reason,
        validate_only=order.is_dry_run or is_stopped,
        on_conflict=OnConflict.Value(f"ON_CONFLICT_{order.on_conflict.upper()}"),
        skip_invalid=order.skips_invalid or is_stopped,
    )
    outcome: Outcome | None = None
    unasked = ""
    if items:
        try:
            outcome = _apply(connection, items, header)
        except Unreachable as error:
            if not is_stopped:
                raise
            unasked = str(error)
    report = Report(order.file, reading, outcome, order.is_dry_run, order.skips_invalid, unasked)
    click.echo(as_json(report) if order.output == "json" else as_text(report))
    if not report.is_good:
        raise click.exceptions.Exit(PROBLEMS)


def _apply(connection: Connection, items: list[BundleItem], header: BundleHeader) -> Outcome:
    with progress_bar(len(items)) as progress:

        async def work(client: Client) -> Outcome:
            return await apply_bundle(client, items, header, progress=progress)

        return connection.run(work)
