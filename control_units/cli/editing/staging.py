"""Edits that a guard forbids now: servers write them as soon as the mode allows it."""

import json

import click
from mds.v1.edit_pb2 import EditControlUnitsRequest
from mds.v1.operation_pb2 import (
    CreateOperationRequest,
    Operation,
    OperationPhase,
    OrderVerb,
    PlanOperationRequest,
)
from mds.v1.operation_plan_pb2 import OperationPlan

from control_units.cli.connection import Connection
from control_units.cli.editing.planning import SOMETHING_TO_DO, Wish
from control_units.cli.failures import PROBLEMS
from control_units.cli.operations.words import bare, fields_of
from control_units.cli.orders.report import order_lines
from control_units.client import Client

_PATIENCE_S = 120.0


def stage_edit(connection: Connection, edit: EditControlUnitsRequest, wish: Wish) -> None:
    """Shows which units an edit is about, asks, and gives it as an operation, which waits where a
    guard forbids it.

    Raises:
        click.exceptions.Exit: something but guards stands against it.
    """
    operation = Operation(
        verb=OrderVerb.ORDER_VERB_EDIT, selection=edit.selection, edits=edit.edits, stage=True
    )
    plan = _planned(connection, operation)
    if wish.output == "text":
        click.echo("\n".join(order_lines(operation.verb, plan)))
    is_stopped = not plan.steps or bool(plan.blocked and not wish.skips_invalid)
    if is_stopped or wish.is_dry_run:
        _end(plan, wish, is_stopped=is_stopped)
        return
    wish.ask()
    request = CreateOperationRequest(
        operation=operation,
        reason=edit.reason,
        seen_plan=plan.plan,
        all_or_none=not wish.skips_invalid,
    )
    given = _given(connection, request)
    click.echo(_json(plan, given) if wish.output == "json" else _told(given))


def _planned(connection: Connection, operation: Operation) -> OperationPlan:
    async def work(client: Client) -> OperationPlan:
        return await client.operations.PlanOperation(PlanOperationRequest(operation=operation))

    return connection.run(work, timeout_s=_PATIENCE_S)


def _given(connection: Connection, request: CreateOperationRequest) -> Operation:
    async def work(client: Client) -> Operation:
        return await client.operations.CreateOperation(request)

    return connection.run(work, timeout_s=_PATIENCE_S)


def _end(plan: OperationPlan, wish: Wish, *, is_stopped: bool) -> None:
    """Nothing is written."""
    click.echo(_json(plan, None) if wish.output == "json" else "Nothing was staged.")
    if is_stopped:
        raise click.exceptions.Exit(PROBLEMS)
    if wish.tells_by_code:
        raise click.exceptions.Exit(SOMETHING_TO_DO)


def _told(operation: Operation) -> str:
    name = bare(operation.name)
    if operation.phase != OperationPhase.OPERATION_PHASE_HELD:
        return f"Operation {name}: no guard forbids it, and it is being written."
    return (
        f"Operation {name} is HELD. {operation.message}\n"
        f"To see what becomes of it: mds operation show {name}; to take it back before it is "
        f"written: mds operation abort {name}"
    )


def _json(plan: OperationPlan, operation: Operation | None) -> str:
    told = {"plan": fields_of(plan), "operation": operation and fields_of(operation)}
    return json.dumps(told, ensure_ascii=False, indent=2)
