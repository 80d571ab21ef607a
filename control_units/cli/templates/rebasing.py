"""From a version of a template to units that are on it."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
from mds.v1.bundle_pb2 import ItemAction, ItemResult
from mds.v1.edit_pb2 import (
    RebaseControlUnitsRequest,
    RebaseControlUnitsResponse,
    RebaseOutcome,
    UnitRebase,
    UnitSelection,
)

from control_units.cli.connection import Connection
from control_units.cli.editing.applying import seen
from control_units.cli.editing.plan_report import PlanReport, item_fields, plan_end_lines
from control_units.cli.editing.planning import Telling, Wish, carry_out
from control_units.cli.output.entries import Entry, entry_lines, some_names
from control_units.client import Client
from control_units.client.words import word_of
from control_units.importers.apply import PATIENCE_S, Outcome, Progress, outcome_of

_TITLES = {
    RebaseOutcome.REBASE_OUTCOME_CONFLICT: "conflict: what they change is gone or breaks it",
    RebaseOutcome.REBASE_OUTCOME_REMOVED_PARAMETER: "removed parameter: they used something gone",
    RebaseOutcome.REBASE_OUTCOME_CHANGED_DEFAULT: "changed default: they would use something else",
    RebaseOutcome.REBASE_OUTCOME_UNAFFECTED: "unaffected",
}
"""What is told of each, worst first."""


@dataclass(frozen=True, slots=True)
class Rebase:
    """What is asked for.

    Attributes:
        template: with its collection.
        version: 0: the newest published one.
        outcomes: only units for which it means one of these; none: all.
        is_dropping: whether units lose what stands against the version.
    """

    template: str
    version: int
    selection: UnitSelection
    outcomes: Sequence[str]
    is_dropping: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RebaseOutcomes(Outcome):
    """What a server said, unit by unit."""

    units: list[UnitRebase]


def rebase_units(connection: Connection, rebase: Rebase, wish: Wish) -> None:
    """Shows what the version means for each unit, asks, and moves them."""
    selection = rebase.selection
    if rebase.outcomes:
        selection = _chosen(connection, rebase)
        if not selection.names:
            click.echo(f"For no unit it means {' or '.join(rebase.outcomes)}. Nothing to do.")
            return

    async def change(client: Client, progress: Progress, /, *, plan: Outcome | None) -> Outcome:
        request = _request(rebase, selection)
        request.validate_only = plan is None
        request.skip_invalid = wish.skips_invalid
        if plan is not None:
            request.seen_plan.MergeFrom(seen(plan))
        return await _rebased(client, request, progress)

    carry_out(connection, change, wish, telling=Telling(rebase_text, rebase_items))


def _chosen(connection: Connection, rebase: Rebase) -> UnitSelection:
    """The units for which it means what was asked for."""
    wanted = {
        RebaseOutcome.Value(f"REBASE_OUTCOME_{each.replace('-', '_').upper()}")
        for each in rebase.outcomes
    }

    async def work(client: Client) -> RebaseOutcomes:
        request = _request(rebase, rebase.selection)
        request.validate_only = True
        return await _rebased(client, request, lambda _: None)

    found = connection.run(work, timeout_s=PATIENCE_S)
    return UnitSelection(names=[unit.name for unit in found.units if unit.outcome in wanted])


def _request(rebase: Rebase, selection: UnitSelection) -> RebaseControlUnitsRequest:
    return RebaseControlUnitsRequest(
        template=rebase.template,
        to_version=rebase.version,
        selection=selection if selection.ByteSize() else None,
        drop_conflicting=rebase.is_dropping,
        request_id=uuid.uuid4().hex,
        reason=rebase.reason,
    )


async def _rebased(
    client: Client, request: RebaseControlUnitsRequest, progress: Progress
) -> RebaseOutcomes:
    units: list[UnitRebase] = []

    def results_of(response: RebaseControlUnitsResponse) -> Iterator[ItemResult]:
        units.extend(response.units)
        return map(_result, response.units)

    responses = client.edits.RebaseControlUnits(request, timeout=PATIENCE_S)
    told = await outcome_of(client, responses, progress=progress, results_of=results_of)
    return RebaseOutcomes(told.summary, told.results, told.problems, units)


def _result(unit: UnitRebase) -> ItemResult:
    return ItemResult(
        name=unit.name,
        action=ItemAction.ITEM_ACTION_CHANGED,
        differences=unit.differences,
        is_running=unit.is_running,
    )


def rebase_text(report: PlanReport) -> str:
    """The units by what it means for them; those that share their differences share them."""
    units = report.outcome.units if isinstance(report.outcome, RebaseOutcomes) else []
    lines: list[str] = []
    for outcome, title in _TITLES.items():
        of_outcome = [unit for unit in units if unit.outcome == outcome]
        if of_outcome:
            lines.append(click.style(f"{len(of_outcome)} {title}", bold=True, underline=True))
            lines += _outcome_lines(outcome, of_outcome)
    return "\n".join([*lines, *plan_end_lines(report)])


def _outcome_lines(outcome: RebaseOutcome.ValueType, units: Sequence[UnitRebase]) -> Iterator[str]:
    if outcome == RebaseOutcome.REBASE_OUTCOME_UNAFFECTED:
        yield f"    {some_names([unit.name for unit in units])}"
        return
    sign = "!" if outcome == RebaseOutcome.REBASE_OUTCOME_CONFLICT else "~"
    yield from entry_lines(
        Entry(sign, unit.name, f"on version {unit.from_version}", unit.differences)
        for unit in units
    )
    dropped = [
        f"{unit.name.partition('/')[2]}: {', '.join(unit.dropped)}"
        for unit in units
        if unit.dropped
    ]
    if dropped:
        yield "    dropped:"
        yield from (f"      {line}" for line in dropped)


def rebase_items(outcome: Outcome) -> list[dict[str, object]]:
    units = outcome.units if isinstance(outcome, RebaseOutcomes) else []
    return [
        {
            **item_fields(_result(unit)),
            "outcome": word_of(RebaseOutcome, unit.outcome),
            "from_version": unit.from_version,
            "dropped": list(unit.dropped),
        }
        for unit in units
    ]
