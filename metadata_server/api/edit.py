"""Edits of many control units on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator

from mds.v1 import edit_pb2, edit_pb2_grpc

from metadata_server.api.calls import Context, caller_of
from metadata_server.api.messages.selection import edit_of, selection_of
from metadata_server.api.plans import carried_out, seen_plan_of
from metadata_server.api.rebase import rebased
from metadata_server.api.standard import hash_of
from metadata_server.services.intent.edits import Editing, Edits
from metadata_server.services.intent.plans import Applying
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.services.intent.rebase import Rebases


class EditsServicer(edit_pb2_grpc.EditsServicer):
    """Changes many control units at once."""

    def __init__(self, edits: Edits, rebases: Rebases) -> None:
        self._edits = edits
        self._rebases = rebases

    async def EditControlUnits(
        self, request: edit_pb2.EditControlUnitsRequest, context: Context
    ) -> AsyncIterator[edit_pb2.EditControlUnitsResponse]:
        caller = caller_of(context, "Edits.EditControlUnits", request, hash_of(request))
        editing = Editing(selection_of(request.selection), [edit_of(e) for e in request.edits])
        how = Applying(
            validate_only=request.validate_only,
            skip_invalid=request.skip_invalid,
            seen=seen_plan_of(request),
        )
        progress = ApplyProgress()
        work = self._edits.edit(caller, editing, how, progress)
        async for response in carried_out(
            edit_pb2.EditControlUnitsResponse, work, progress, context
        ):
            yield response

    async def RebaseControlUnits(
        self, request: edit_pb2.RebaseControlUnitsRequest, context: Context
    ) -> AsyncIterator[edit_pb2.RebaseControlUnitsResponse]:
        selection = selection_of(request.selection)
        async for response in rebased(self._rebases, request, selection, context):
            yield response
