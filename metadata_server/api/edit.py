"""Edits of many control units on the wire."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from mds.v1 import edit_pb2, edit_pb2_grpc

from metadata_server.api.calls import Context, caller_of
from metadata_server.api.messages.enums import STATES
from metadata_server.api.messages.reading import Reading
from metadata_server.api.plans import carried_out, seen_plan_of
from metadata_server.api.rebase import rebased
from metadata_server.domain.edit import FieldEdit, UnitSelection
from metadata_server.domain.names import Kind
from metadata_server.domain.state import State
from metadata_server.services.edits import Editing, Edits
from metadata_server.services.plans import Applying
from metadata_server.services.progress import ApplyProgress
from metadata_server.services.rebase import Rebases


class EditsServicer(edit_pb2_grpc.EditsServicer):
    """Changes many control units at once."""

    def __init__(self, edits: Edits, rebases: Rebases) -> None:
        self._edits = edits
        self._rebases = rebases

    async def EditControlUnits(
        self, request: edit_pb2.EditControlUnitsRequest, context: Context
    ) -> AsyncIterator[edit_pb2.EditControlUnitsResponse]:
        payload = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
        caller = caller_of(context, "Edits.EditControlUnits", request, payload)
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


def selection_of(message: edit_pb2.UnitSelection) -> UnitSelection:
    """Which control units a request is about.

    Raises:
        Refused: INVALID_ID, INVALID_FIELD, with everything that is wrong with it.
    """
    reading = Reading()
    selection = UnitSelection(
        ids=tuple(
            reading.id(Kind.CONTROL_UNIT, name, f"selection.names[{position}]")
            for position, name in enumerate(message.names)
        ),
        id_prefix=message.id_prefix,
        zone=message.zone,
        template=reading.reference(Kind.TEMPLATE, message.template, "selection.template"),
        unit_server=reading.reference(
            Kind.UNIT_SERVER, message.unit_server, "selection.unit_server"
        ),
        labels=dict(message.labels),
        state=reading.member(STATES, message.state, "selection.state", State.UNSPECIFIED),
        id_prefixes=tuple(message.id_prefixes),
        desired_states=frozenset(
            reading.member(STATES, number, f"selection.desired_states[{place}]", State.UNSPECIFIED)
            for place, number in enumerate(message.desired_states)
        ),
    )
    reading.finish()
    return selection


def edit_of(message: edit_pb2.FieldEdit) -> FieldEdit:
    return FieldEdit(message.path, message.value if message.HasField("value") else None)
