"""Rebases on the wire: what they mean for each unit, in messages of bounded size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TypeVar

from mds.v1 import edit_pb2

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages.difference import difference_messages
from metadata_server.api.plans import (
    LONGEST_TOLD,
    problem_messages,
    progress_message,
    seen_plan_of,
    summary_message,
    telling,
)
from metadata_server.api.standard import hash_of
from metadata_server.domain.intent.bundle import Decision
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.rebase import RebaseOutcome, UnitRebase
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.rebase import Rebased, Rebases, Target
from metadata_server.store.store import Answer

T = TypeVar("T")

MESSAGE_BYTES = 512 * 1024
TOGETHER = 200
"""Units between two looks at the size of a message."""

OUTCOMES = {
    outcome: getattr(edit_pb2, f"REBASE_OUTCOME_{outcome.name}") for outcome in RebaseOutcome
}
Response = edit_pb2.RebaseControlUnitsResponse


async def rebased(
    rebases: Rebases,
    request: edit_pb2.RebaseControlUnitsRequest,
    selection: UnitSelection,
    context: Context,
) -> AsyncIterator[Response]:
    """All that a call says, from the beginning of its work to the summary."""
    target = target_of(request, selection)
    how = Applying(
        validate_only=request.validate_only,
        skip_invalid=request.skip_invalid,
        seen=seen_plan_of(request),
    )
    caller = caller_of(context, "Edits.RebaseControlUnits", request, hash_of(request))
    progress = ApplyProgress()
    answers: list[Answer[Rebased]] = []

    def tell() -> Response:
        return Response(progress=progress_message(0, progress))

    work = rebases.rebase(caller, target, how, progress)
    async for message in telling(work, tell, answers.append):
        yield message
    (answer,) = answers
    yield tell()
    for message in unit_messages(answer.value.units):
        yield message
    for message in problems_told(answer.value.applied.decisions):
        yield message
    tell_position(context, answer.position)
    yield Response(summary=summary_message(answer.value.applied, answer.position))


def target_of(request: edit_pb2.RebaseControlUnitsRequest, selection: UnitSelection) -> Target:
    """Where a request wants units to be moved.

    Raises:
        Refused: INVALID_ID, INVALID_FIELD.
    """
    template = Kind.TEMPLATE.id_of(request.template, field="template")
    if selection.template not in {"", template}:
        raise Refused.wrong_fields(
            [WrongField("selection.template", request.selection.template, request.template)]
        )
    if request.to_version < 0:
        expected = "a version from 1, or 0 for the newest published one"
        raise Refused.wrong_fields([WrongField("to_version", str(request.to_version), expected)])
    return Target(
        template=template,
        version=request.to_version,
        selection=selection,
        drop_conflicting=request.drop_conflicting,
    )


def unit_messages(units: Sequence[UnitRebase]) -> Iterator[Response]:
    return together(units, lambda response, each: response.units.append(unit_message(each)))


def problems_told(decisions: Sequence[Decision]) -> Iterator[Response]:
    return together(
        decisions, lambda response, each: response.problems.extend(problem_messages(each))
    )


def together(many: Sequence[T], add: Callable[[Response, T], object]) -> Iterator[Response]:
    """Messages of many each, none far above MESSAGE_BYTES; none that is empty."""
    response = Response()
    for position, each in enumerate(many, start=1):
        add(response, each)
        if position % TOGETHER == 0 and response.ByteSize() > MESSAGE_BYTES:
            yield response
            response = Response()
    if response.ByteSize():
        yield response


def unit_message(each: UnitRebase) -> edit_pb2.UnitRebase:
    return edit_pb2.UnitRebase(
        name=Kind.CONTROL_UNIT.name_of(each.id),
        from_version=each.from_version,
        outcome=OUTCOMES[each.outcome],
        differences=difference_messages(each.differences, longest=LONGEST_TOLD),
        dropped=each.dropped,
        is_running=each.is_running,
    )
