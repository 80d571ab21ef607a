"""History on the wire: what people changed, and the ways back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from mds.v1 import bundle_pb2, history_pb2, history_pb2_grpc

from metadata_server.api.bundle import kinds_of
from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages.difference import difference_messages
from metadata_server.api.messages.history import (
    change_message,
    change_set_message,
    compared_message,
)
from metadata_server.api.messages.position import position_message
from metadata_server.api.plans import LONGEST_TOLD, problem_messages, result_message
from metadata_server.api.standard import hash_of
from metadata_server.domain.change import Action
from metadata_server.domain.change_set import (
    ChangeSelection,
    ChangeSetSelection,
    ToldChange,
    revision_of,
)
from metadata_server.domain.intent.comparison import Compared, Comparing
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import Kind, named
from metadata_server.services.past.comparisons import Comparisons
from metadata_server.services.past.going_back import WentBack
from metadata_server.services.past.history import History
from metadata_server.services.past.revert import Revert
from metadata_server.services.past.undo import Undo

DIFFERENCES_A_MESSAGE = 100
MOST_RESULTS = 10_000
DIFFERENCES_BYTES = 8 * 1024 * 1024
UNCHANGED = bundle_pb2.ITEM_ACTION_UNCHANGED
TOLD_ACTIONS = {
    Action.CREATED: bundle_pb2.ITEM_ACTION_CREATED,
    Action.UPDATED: bundle_pb2.ITEM_ACTION_CHANGED,
    Action.DELETED: bundle_pb2.ITEM_ACTION_REMOVED,
}


@dataclass(frozen=True, slots=True)
class HistoryParts:
    """What the service calls."""

    history: History
    comparisons: Comparisons
    revert: Revert
    undo: Undo


class HistoryServicer(history_pb2_grpc.HistoryServicer):
    """Tells what people changed, and takes it back."""

    def __init__(self, parts: HistoryParts) -> None:
        self._history = parts.history
        self._comparisons = parts.comparisons
        self._revert = parts.revert
        self._undo = parts.undo

    async def ListChanges(
        self, request: history_pb2.ListChangesRequest, context: Context
    ) -> history_pb2.ListChangesResponse:
        answer = await self._history.list_changes(
            change_selection(request), size=request.page_size, token=request.page_token
        )
        tell_position(context, answer.position)
        page = answer.value
        return history_pb2.ListChangesResponse(
            changes=map(change_message, page.items),
            next_page_token=page.next_page_token,
            position=position_message(page.position),
            kept_from=page.kept_from,
        )

    async def GetChangeSet(
        self, request: history_pb2.GetChangeSetRequest, context: Context
    ) -> history_pb2.ChangeSet:
        answer = await self._history.get_change_set(revision_of(request.name))
        tell_position(context, answer.position)
        return change_set_message(answer.value)

    async def ListChangeSets(
        self, request: history_pb2.ListChangeSetsRequest, context: Context
    ) -> history_pb2.ListChangeSetsResponse:
        selection = ChangeSetSelection(
            author=request.author,
            since=moment_of(request.since, field="since"),
            until=moment_of(request.until, field="until"),
            filter=request.filter,
            order_by=request.order_by,
        )
        answer = await self._history.list_change_sets(
            selection, size=request.page_size, token=request.page_token
        )
        tell_position(context, answer.position)
        return history_pb2.ListChangeSetsResponse(
            change_sets=map(change_set_message, answer.value.items),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.value.position),
        )

    async def Compare(
        self, request: history_pb2.CompareRequest, context: Context
    ) -> AsyncIterator[history_pb2.CompareResponse]:
        async with aclosing(self._comparisons.compare(comparing(request))) as parts:
            async for part in parts:
                tell_position(context, part.later)
                for piece in pieces(part):
                    yield compared_message(piece)

    async def Revert(
        self, request: history_pb2.RevertRequest, context: Context
    ) -> history_pb2.RevertResponse:
        kind, id = named(request.name)
        answer = await self._revert.revert(
            caller_of(context, "History.Revert", request, hash_of(request)),
            kind,
            id,
            as_of=moment_of(request.as_of),
            etag=request.etag,
            validate_only=request.validate_only,
        )
        went = answer.value
        tell_position(context, went.position)
        (result,) = results(went) or [bundle_pb2.ItemResult(name=request.name, action=UNCHANGED)]
        return history_pb2.RevertResponse(position=position_message(went.position), result=result)

    async def Undo(
        self, request: history_pb2.UndoRequest, context: Context
    ) -> history_pb2.UndoResponse:
        answer = await self._undo.undo(
            caller_of(context, "History.Undo", request, hash_of(request)),
            revision_of(request.name),
            validate_only=request.validate_only,
            skip_invalid=request.skip_invalid,
        )
        went = answer.value
        tell_position(context, went.position)
        return await asyncio.to_thread(undo_message, went)


def undo_message(went: WentBack) -> history_pb2.UndoResponse:
    return history_pb2.UndoResponse(
        position=position_message(went.position),
        results=results(went),
        problems=[message for each in went.decisions for message in problem_messages(each)],
        count=went.count,
    )


def results(went: WentBack) -> list[bundle_pb2.ItemResult]:
    """What became of each resource; of a repeated call what the first has done."""
    decided = map(result_message, went.decisions[:MOST_RESULTS])
    found, size = [], 0
    for result in (*decided, *map(told_result, went.told)):
        size += result.ByteSize()
        if size > DIFFERENCES_BYTES:
            result.ClearField("differences")
        found.append(result)
    return found


def told_result(change: ToldChange) -> bundle_pb2.ItemResult:
    return bundle_pb2.ItemResult(
        name=change.kind.name_of(change.id),
        action=TOLD_ACTIONS[change.action],
        differences=difference_messages(change.differences, longest=LONGEST_TOLD),
    )


def change_selection(request: history_pb2.ListChangesRequest) -> ChangeSelection:
    """Raises:
    Refused: INVALID_ID, INVALID_FIELD.
    """
    kind, id = resource_of(request.name)
    return ChangeSelection(
        kind=kind,
        id=id,
        change_set=revision_of(request.change_set, field="change_set") if request.change_set else 0,
        kinds=tuple(kinds_of(request.kinds)),
        id_prefix=request.id_prefix,
        author=request.author,
        since=moment_of(request.since, field="since"),
        until=moment_of(request.until, field="until"),
        filter=request.filter,
        order_by=request.order_by,
    )


def comparing(request: history_pb2.CompareRequest) -> Comparing:
    """Raises:
    Refused: INVALID_ID, INVALID_FIELD.
    """
    kind, id = resource_of(request.name)
    return Comparing(
        earlier=moment_of(getattr(request, "from"), field="from"),
        later=moment_of(request.to, field="to"),
        kind=kind,
        id=id,
        kinds=tuple(kinds_of(request.kinds)),
        id_prefix=request.id_prefix,
        template=id_in(Kind.TEMPLATE, request.template, field="template"),
        unit_server=id_in(Kind.UNIT_SERVER, request.unit_server, field="unit_server"),
    )


def resource_of(name: str) -> tuple[Kind | None, str]:
    """Kind and id of a name; of an empty one neither."""
    return named(name) if name else (None, "")


def id_in(kind: Kind, name: str, *, field: str) -> str:
    return kind.id_of(name, field=field) if name else ""


def pieces(part: Compared) -> Sequence[Compared]:
    """A part in pieces that are messages of a fair size."""
    starts = range(0, max(len(part.differences), 1), DIFFERENCES_A_MESSAGE)
    return [
        Compared(
            part.earlier,
            part.later,
            part.differences[start : start + DIFFERENCES_A_MESSAGE],
            part.compared,
        )
        for start in starts
    ]
