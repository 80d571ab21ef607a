"""Restoring values of a snapshot, as an operation with a result for each unit."""

from collections.abc import Iterator, Sequence
from typing import Any

import click
from mds.v1.edit_pb2 import UnitSelection
from mds.v1.live_values_pb2 import NotedValue, PlanRestoreRequest, RestorePlan
from mds.v1.operation_pb2 import Operation, OrderVerb
from mds.v1.operation_plan_pb2 import OperationPlan
from mds.v1.state_pb2 import State

from control_units.cli.connection import Connection
from control_units.cli.operations.words import bare
from control_units.cli.orders.options import take_how
from control_units.cli.orders.ordering import give_order
from control_units.cli.orders.patterns import selection_by
from control_units.cli.output.problems import counted
from control_units.cli.output.tables import columns
from control_units.client import Client

_MOST = 20
"""Values of a list that are told one by one."""
_PATIENCE_S = 120.0
_INITIALISED = (State.STATE_INITIALIZED, State.STATE_RUNNING, State.STATE_STOPPED)


def restore_snapshot(
    connection: Connection, name: str, patterns: Sequence[str], options: dict[str, Any]
) -> None:
    """Shows what would be edited and of whom, asks, gives the order, and follows it.

    Raises:
        click.exceptions.Exit: something stands against it, or units have not come there.
    """
    has_selected = bool(patterns) or any(options[each] for each in ("selected", *_NARROWING))
    request = PlanRestoreRequest(
        name=name,
        selection=selection_by(patterns, options) if has_selected else UnitSelection(),
        attributes=options["attributes"],
        tolerance=options["tolerance"],
    )

    async def work(client: Client) -> RestorePlan:
        return await client.live_values.PlanRestore(request, timeout=_PATIENCE_S)

    found = connection.run(work)
    if options["output"] == "text":
        click.echo("\n".join(_value_lines(name, found)))
    else:
        click.echo(f"{counted(found.different, 'value')} to restore.", err=True)
    if not found.edits:
        click.echo("Nothing to do.", err=options["output"] != "text")
        return
    operation = Operation(verb=OrderVerb.ORDER_VERB_EDIT, unit_edits=found.edits)
    take_how(operation, options)
    asked = {**options, "reason": options["reason"] or f"{bare(name)} restored"}
    give_order(connection, operation, asked, remarks=_remarks)


_NARROWING = ("prefix", "zone", "template", "unit_server", "labels", "state", "unit_list")
"""Options that select units."""


def _value_lines(name: str, found: RestorePlan) -> Iterator[str]:
    title = f"{counted(found.different, 'value')} of {bare(name)} to restore"
    yield click.style(f"{title}, {found.equal} intended already", bold=True)
    rows = [
        (bare(unit.name), edit.path.partition("[")[2].rpartition("]")[0], edit.value)
        for unit in found.edits
        for edit in unit.edits
    ]
    yield from _some(("unit", "attribute", "value"), rows)
    for title, notes in (
        ("Cannot be restored", found.left_out),
        ("Intended already, yet not used; mds deinit and mds start bring it there", found.strayed),
    ):
        if notes:
            yield click.style(f"{title}: {counted(len(notes), 'value')}", fg="magenta", bold=True)
            yield from _some(("unit", "attribute", ""), [_note_row(each) for each in notes])


def _note_row(note: NotedValue) -> tuple[str, str, str]:
    return bare(note.control_unit), note.attribute or "(all)", note.note


def _some(headers: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield from columns(headers, rows[:_MOST], "  ")
    if len(rows) > _MOST:
        yield f"  … and {len(rows) - _MOST} more"


def _remarks(plan: OperationPlan) -> Iterator[str]:
    """A changed default is taken over by a new init: whose work that breaks off."""
    count = sum(step.state in _INITIALISED for step in plan.steps)
    if count:
        which = "1 of these units is" if count == 1 else f"{count} of these units are"
        it = "it" if count == 1 else "they"
        yield click.style(
            f"{which} initialised: {it} will be stopped, deinitialised, and initialised anew to "
            "take the values over.",
            fg="yellow",
        )
