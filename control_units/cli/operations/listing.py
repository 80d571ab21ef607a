"""Operations as lists, and one of them in full."""

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import chain
from typing import Any

import click
from mds.v1.operation_pb2 import (
    GetOperationRequest,
    ListOperationsRequest,
    Operation,
    OperationPhase,
    OrderVerb,
)
from mds.v1.operation_step_pb2 import ListOperationStepsRequest, OperationStep, StepState

from control_units.cli.connection import Connection
from control_units.cli.kinds import pages
from control_units.cli.looking.asked import Asked
from control_units.cli.operations.options import ACTIVE, LARGEST_FIRST, SORTS
from control_units.cli.operations.steering import full_name
from control_units.cli.operations.words import (
    bare,
    counts_text,
    failure_word,
    fields_of,
    lasted_text,
    left_text,
    order_text,
    phase_word,
    seconds_text,
    step_row,
    verb_word,
)
from control_units.cli.output.tables import write_table
from control_units.cli.output.writing import Shape, write_all, write_one
from control_units.cli.times import shown
from control_units.client import Client

_PAGE = 1000
_HEADERS = ("id", "phase", "order", "there", "author", "created", "lasted", "why")
_ELASTIC = ("there", "author", "why")
_STEP_HEADERS = ("unit", "state", "minor state", "message", "tries", "began", "ended")


def list_operations(connection: Connection, options: dict[str, Any]) -> None:
    """Lists what passes the options, and says how much more there is."""
    author = options["author"]
    if options["mine"]:
        author = connection.author()
    request = _request(options, author)
    found, total = connection.run(lambda client: _listed(client, request, options["limit"]))
    write_all(found, SHAPE, options["output"])
    if not found:
        click.echo("There is no such operation.", err=True)
    if total > len(found):
        click.echo(f"{len(found)} of {total}; see --limit.", err=True)


def _request(options: dict[str, Any], author: str) -> ListOperationsRequest:
    phases = [each.upper() for each in options["phases"]] + [*ACTIVE] * options["active"]
    sort = options["sort"]
    descends = (sort in LARGEST_FIRST) is not options["reverse"]
    request = ListOperationsRequest(
        order_by=f"{SORTS[sort]} desc" if descends else SORTS[sort],
        phases=[OperationPhase.Value(f"OPERATION_PHASE_{each}") for each in phases],
        verbs=[OrderVerb.Value(f"ORDER_VERB_{each.upper()}") for each in options["verbs"]],
        author=author,
        control_unit=options["control_unit"] or "",
        text=options["text"],
        campaign=options["campaign"] or "",
    )
    for field in ("since", "until"):
        if options[field] is not None:
            getattr(request, field).FromDatetime(options[field])
    return request


async def _listed(
    client: Client, request: ListOperationsRequest, limit: int
) -> tuple[list[Operation], int]:
    found: list[Operation] = []
    while True:
        request.page_size = min(_PAGE, limit - len(found))
        page = await client.operations.ListOperations(request)
        found.extend(page.operations)
        request.page_token = page.next_page_token
        if len(found) >= limit or not page.next_page_token:
            return found, page.total_size


def _row(each: Operation) -> tuple[str, ...]:
    return (
        bare(each.name),
        phase_word(each),
        verb_word(each.verb),
        counts_text(each),
        each.author,
        shown(each.create_time),
        lasted_text(each),
        _why(each),
    )


def _why(each: Operation) -> str:
    """What went wrong; of what has gone well, why it was ordered."""
    is_well = each.phase == OperationPhase.OPERATION_PHASE_COMPLETED
    return each.reason if is_well or not each.message else each.message


SHAPE = Shape(_HEADERS, _row, (), _ELASTIC, fields_of)


def _shape_with(steps: Sequence[OperationStep] | None) -> Shape[Operation]:
    """Of an operation, with its steps where programs read them."""

    def plain(operation: Operation) -> dict[str, object]:
        told = fields_of(operation)
        return told if steps is None else {**told, "steps": [fields_of(each) for each in steps]}

    return Shape(_HEADERS, _row, (), _ELASTIC, plain)


def show_operation(
    connection: Connection,
    name: str,
    states: Sequence[str],
    asked: Asked,
    *,
    with_steps: bool,
    output: str,
) -> None:
    """Shows an operation, and its steps where they are asked for."""
    name = full_name(connection, name)
    wanted = [StepState.Value(f"STEP_STATE_{each.upper()}") for each in states]
    is_with_steps = with_steps or bool(states)
    operation, steps = connection.run(
        lambda client: _read(client, name, wanted if is_with_steps else None, asked)
    )
    if output != "text":
        write_one(operation, _shape_with(steps if is_with_steps else None), output)
        return
    click.echo("\n".join(_lines(operation)))
    if is_with_steps:
        click.echo()
        write_table(_STEP_HEADERS, [_step_row(each) for each in steps], elastic=("message",))


async def _read(
    client: Client,
    name: str,
    states: Sequence[StepState.ValueType] | None,
    asked: Asked,
) -> tuple[Operation, list[OperationStep]]:
    operation = await client.operations.GetOperation(GetOperationRequest(name=name))
    if states is None:
        return operation, []
    request = ListOperationStepsRequest(operation=name, states=states, **asked)
    steps: AsyncIterator[OperationStep] = pages(
        client.operations.ListOperationSteps, request, "steps"
    )
    return operation, [each async for each in steps]


def _lines(operation: Operation) -> Iterator[str]:
    yield click.style(f"{bare(operation.name)}  {order_text(operation)}", bold=True)
    for word, text in chain(_standing(operation), _how(operation)):
        if text:
            yield f"  {word:<18}{text}"


def _standing(operation: Operation) -> Iterator[tuple[str, str]]:
    """Three fields that say how it is, then who, when and why."""
    yield "phase", phase_word(operation)
    yield "minor state", operation.minor_state
    yield "message", operation.message
    yield "units there", counts_text(operation)
    why = f": {operation.reason}" if operation.reason else ""
    yield "ordered", f"{shown(operation.create_time)} by {operation.author}{why}"
    yield "began", shown(operation.start_time)
    yield "ended", shown(operation.end_time)
    yield "lasted", ", ".join(filter(None, (lasted_text(operation), left_text(operation))))
    yield "last update", shown(operation.update_time)
    by = f", {operation.replica}" if operation.replica else ""
    yield "last sign of life", f"{shown(operation.sign_of_life_time)}{by}"


def _how(operation: Operation) -> Iterator[tuple[str, str]]:
    """What was said besides, where it was."""
    limits = (
        (operation.at_once, "of all"),
        (operation.at_once_per_unit_server, "of one unit server"),
    )
    yield "at once", ", ".join(f"{count} {where}" for count, where in limits if count)
    yield "on failure", failure_word(operation.on_failure)
    for field in ("step_timeout", "timeout"):
        if operation.HasField(field):
            seconds = getattr(operation, field).ToTimedelta().total_seconds()
            yield field.replace("_", " "), seconds_text(seconds)
    yield "tries", str(operation.most_attempts or "")
    flags = (
        (operation.even_so, "even so"),
        (operation.recover, "with recover"),
        (operation.stage, "staged"),
    )
    yield "besides", ", ".join(word for is_set, word in flags if is_set)


def _step_row(step: OperationStep) -> tuple[str, ...]:
    tries = str(step.attempts or "")
    return (*step_row(step), tries, shown(step.start_time), shown(step.end_time))
