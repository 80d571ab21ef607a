"""Plans on the wire: how far a call is, what became of its items, and the summary. The same
for all calls that change many resources at once, whatever their messages are called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message
from mds.v1 import bundle_pb2

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages.difference import difference_messages
from metadata_server.api.messages.position import position_message, position_of
from metadata_server.domain.change import Position
from metadata_server.domain.difference import FieldDifference, differences
from metadata_server.domain.intent.bundle import Decision, Item, ItemAction, SeenPlan
from metadata_server.domain.refused import WrongField
from metadata_server.services.intent.plans import Applied
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.store.store import Answer

PROGRESS_PERIOD_S = 0.2
RESULTS_A_MESSAGE = 500
LONGEST_TOLD = 2000
"""Characters of a value in a result: a document would not fit into a message."""

ACTIONS = {action: getattr(bundle_pb2, f"ITEM_ACTION_{action.name}") for action in ItemAction}
M = TypeVar("M", bound=Message)
T = TypeVar("T")


def seen_plan_of(message: Any) -> SeenPlan | None:
    """The plan that a request wants to be carried out; None: it does not say."""
    if not message.HasField("seen_plan"):
        return None
    return SeenPlan(position_of(message.seen_plan.position), message.seen_plan.plan)


async def telling(
    work: Coroutine[Any, Any, T], tell: Callable[[], M], done: Callable[[T], None]
) -> AsyncIterator[M]:
    """What `tell` says now and then while something is under way; at its end `done` gets it."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait([task], timeout=PROGRESS_PERIOD_S))[0]:
            yield tell()
    finally:
        task.cancel()  # no effect on a transaction under way: its caller has a request id
    done(task.result())


async def carried_out(
    response: type[M],
    work: Coroutine[Any, Any, Answer[Applied]],
    progress: ApplyProgress,
    context: Context,
    *,
    received: int = 0,
) -> AsyncIterator[M]:
    """All that a call says, from the beginning of its work to the summary.

    Args:
        response: the message of the call; its fields are those of ApplyResponse.
        received: items that came.
    """
    answers: list[Answer[Applied]] = []

    def tell() -> M:
        return response(progress=progress_message(received, progress))

    async for message in telling(work, tell, answers.append):
        yield message
    (answer,) = answers
    progress.written = answer.value.summary.written
    yield tell()
    decisions = answer.value.decisions
    for start in range(0, len(decisions), RESULTS_A_MESSAGE):
        some = decisions[start : start + RESULTS_A_MESSAGE]
        yield await asyncio.to_thread(told_results, response, some)
    tell_position(context, answer.position)
    yield response(summary=summary_message(answer.value, answer.position))


def progress_message(received: int, progress: ApplyProgress) -> bundle_pb2.ApplyProgress:
    return bundle_pb2.ApplyProgress(
        received=received, checked=progress.checked, written=progress.written
    )


def told_results(response: type[M], decisions: Sequence[Decision]) -> M:
    return response(
        results=map(result_message, decisions),
        problems=[message for each in decisions for message in problem_messages(each)],
    )


def result_message(decision: Decision) -> bundle_pb2.ItemResult:
    before = decision.before
    result = bundle_pb2.ItemResult(
        source=decision.item.source,
        name=decision.item.name,
        action=ACTIONS[decision.action],
        changed_fields=decision.changed_fields,
        etag=before.etag if before else "",
        is_running=decision.is_running,
        last_author=decision.last_author,
    )
    if decision.action is ItemAction.CHANGED and before and decision.after:
        fields = differences(before, decision.after)
        if before.id != decision.after.id:
            fields = (FieldDifference("name", before.name, decision.after.name), *fields)
        result.differences.extend(difference_messages(fields, longest=LONGEST_TOLD))
    return result


def problem_messages(decision: Decision) -> Iterator[bundle_pb2.Problem]:
    for problem in decision.problems:
        yield problem_message(decision.item, problem)


def problem_message(item: Item, problem: WrongField) -> bundle_pb2.Problem:
    return bundle_pb2.Problem(
        source=item.source,
        name=item.name,
        reason=problem.reason,
        field=problem.field,
        value=problem.value,
        expected=problem.expected,
        message=problem.message,
    )


def summary_message(applied: Applied, position: Position) -> bundle_pb2.ApplySummary:
    told = applied.summary
    return bundle_pb2.ApplySummary(
        applied=told.applied,
        position=position_message(position),
        running=told.running,
        of_others=told.of_others,
        plan=told.plan,
        **{action.value.lower(): count for action, count in told.counts.items()},
    )
