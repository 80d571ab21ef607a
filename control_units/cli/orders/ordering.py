"""From an order to units that have come where they shall be."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import click
from mds.v1.edit_pb2 import UnitSelection
from mds.v1.operation_pb2 import CreateOperationRequest, Operation, OrderVerb, PlanOperationRequest
from mds.v1.operation_plan_pb2 import OperationPlan
from mds.v1.state_pb2 import State

from control_units.cli.connection import Connection
from control_units.cli.editing.planning import SOMETHING_TO_DO, Wish
from control_units.cli.failures import PROBLEMS
from control_units.cli.operations.following import follow_operation
from control_units.cli.operations.words import bare, fields_of
from control_units.cli.orders.commands import ANY, Verb
from control_units.cli.orders.options import take_how
from control_units.cli.orders.patterns import selection_by
from control_units.cli.orders.report import order_lines
from control_units.client import Client, Refused

_PATIENCE_S = 120.0


def order_units(
    connection: Connection, verb: Verb, patterns: Sequence[str], options: dict[str, Any]
) -> None:
    """Shows the plan, asks where it touches many or hits others, gives the order, and follows it.

    Raises:
        click.ClickException: nothing is selected.
        click.exceptions.Exit: something stands against it, or units have not come there.
    """
    is_one = len(patterns) == 1 and not patterns[0].endswith(ANY)
    wish = Wish.of(options)
    replace(wish, is_agreed=wish.is_agreed or is_one).check()
    give_order(connection, operation_for(verb, patterns, options), options, limits=verb.limits)


def give_order(
    connection: Connection,
    operation: Operation,
    options: dict[str, Any],
    *,
    limits: str = "",
    remarks: Callable[[OperationPlan], Iterable[str]] = lambda _: (),
) -> None:
    """The same, for an operation that is known already.

    Args:
        limits: which units it leaves alone, whatever is selected.
        remarks: lines that stand below the plan.

    Raises:
        click.ClickException: nothing is selected.
        click.exceptions.Exit: something stands against it, or units have not come there.
    """
    wish = Wish.of(options)
    plan = _planned(connection, operation, limits)
    if wish.output == "text":
        click.echo("\n".join([*order_lines(operation.verb, plan), *remarks(plan)]))
    if _is_over(plan, wish, options):
        return
    is_asked = not wish.is_agreed and (len(plan.steps) > 1 or bool(plan.hit))
    if is_asked:
        wish.ask()
    request = CreateOperationRequest(
        operation=operation,
        reason=options["reason"],
        # Where nobody was asked nobody has relied on the plan, and units move all the time.
        seen_plan=plan.plan if is_asked else "",
        all_or_none=options["all_or_none"],
        wait=options["pending"],
    )
    _give(connection, request, plan, options)


def operation_for(verb: Verb, patterns: Sequence[str], options: dict[str, Any]) -> Operation:
    """What was said.

    Raises:
        click.UsageError: nothing was said, so that it would be all units.
    """
    operation = Operation(
        verb=OrderVerb.Value(f"ORDER_VERB_{verb.name.upper()}"),
        selection=selection_for(verb, patterns, options),
    )
    take_how(operation, options)
    return operation


def selection_for(verb: Verb, patterns: Sequence[str], options: dict[str, Any]) -> UnitSelection:
    """What was said, without the units that the verb leaves alone.

    Raises:
        click.UsageError: nothing was said, so that it would be all units.
    """
    found = selection_by(patterns, options)
    if not verb.desired and not found.state:
        found.state = State.STATE_RECOVERABLE_ERROR
    if verb.others:
        words = ("UNSPECIFIED", verb.desired, *verb.others)
        found.desired_states.extend(State.Value(f"STATE_{word}") for word in words)
    return found


def _planned(connection: Connection, operation: Operation, limits: str) -> OperationPlan:
    async def work(client: Client) -> OperationPlan:
        return await client.operations.PlanOperation(PlanOperationRequest(operation=operation))

    try:
        return connection.run(work, timeout_s=_PATIENCE_S)
    except Refused as error:
        if error.reason != "NOTHING_SELECTED":
            raise
        raise click.ClickException(f"No control unit is selected. {limits}".rstrip()) from None


def _way_out(plan: OperationPlan) -> str:
    """What may be done about units that are blocked."""
    if any(each.by for each in plan.blocked):
        return "Order what is in the way first or as well, or --even-so."
    return "What a guard forbids can wait for another mode: --stage."


def _is_over(plan: OperationPlan, wish: Wish, options: dict[str, Any]) -> bool:
    """Whether nothing is left to do; where something stands against the plan it ends here."""
    is_stopped = bool(plan.blocked and (options["all_or_none"] or not plan.steps))
    if not (is_stopped or wish.is_dry_run or not plan.steps):
        return False
    if wish.output == "json":
        click.echo(_json(plan, None))
    elif is_stopped:
        click.echo(f"Nothing was ordered. {_way_out(plan)}")
    elif plan.steps:
        click.echo("Nothing was ordered.")
    else:
        click.echo("Nothing to do.")
    if is_stopped:
        raise click.exceptions.Exit(PROBLEMS)
    if wish.tells_by_code and plan.steps:
        raise click.exceptions.Exit(SOMETHING_TO_DO)
    return True


def _give(
    connection: Connection,
    request: CreateOperationRequest,
    plan: OperationPlan,
    options: dict[str, Any],
) -> None:
    async def work(client: Client) -> Operation:
        return await client.operations.CreateOperation(request)

    operation = connection.run(work, timeout_s=_PATIENCE_S)
    is_text = options["output"] == "text"
    if is_text:
        click.echo(f"Operation {bare(operation.name)}")
    is_reached = True
    if request.wait:
        click.echo(f"To begin it: mds operation resume {bare(operation.name)}", err=True)
    elif _is_followed(options):
        unfolding = follow_operation(connection, operation.name, within_s=options["within"])
        operation, is_reached = unfolding.operation, unfolding.is_reached
    if not is_text:
        click.echo(_json(plan, operation))
    if not is_reached:
        raise click.exceptions.Exit(PROBLEMS)


def _is_followed(options: dict[str, Any]) -> bool:
    """A person at a terminal wants to see it happen; a script says so."""
    if options["wait"] is not None:
        return bool(options["wait"])
    return bool(options["output"] == "text" and sys.stdout.isatty())


def _json(plan: OperationPlan, operation: Operation | None) -> str:
    told = {"plan": fields_of(plan), "operation": operation and fields_of(operation)}
    return json.dumps(told, ensure_ascii=False, indent=2)
