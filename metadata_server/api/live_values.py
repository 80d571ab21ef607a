"""What the inputs of units are set to, and snapshots of it, on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import cast

from mds.v1 import (
    edit_pb2,
    live_values_pb2,
    live_values_pb2_grpc,
    operation_pb2,
    snapshot_pb2,
)

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages import to_message
from metadata_server.api.messages.asked_list import asked_list_of
from metadata_server.api.messages.enums import CONTACTS, STATES, VALUE_TYPES
from metadata_server.api.messages.position import position_message
from metadata_server.api.messages.registration import duration_message
from metadata_server.api.messages.selection import selection_of
from metadata_server.api.standard import hash_of
from metadata_server.domain.filter.vocabulary import LIVE_VALUES
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.operation import UnitEdits
from metadata_server.domain.values.live_values import LiveValue, UnitLiveValues
from metadata_server.domain.values.restore import NotedValue
from metadata_server.domain.values.tolerance import tolerance_of
from metadata_server.services.values.live_values import LiveValues
from metadata_server.services.values.restoring import Restoring, SnapshotRestoring
from metadata_server.services.values.taking import SnapshotTaking, Taking

LARGEST_PART_CHARACTERS = 1_000_000
"""Of values in one message; a single larger unit has a message of its own."""


class LiveValuesServicer(live_values_pb2_grpc.LiveValuesServicer):
    """Converts; never decides."""

    def __init__(
        self, live_values: LiveValues, taking: SnapshotTaking, restoring: SnapshotRestoring
    ) -> None:
        self._live_values = live_values
        self._taking = taking
        self._restoring = restoring

    async def GetLiveValues(
        self, request: live_values_pb2.GetLiveValuesRequest, context: Context
    ) -> live_values_pb2.UnitLiveValues:
        answer = await self._live_values.get(Kind.CONTROL_UNIT.id_of(request.name))
        tell_position(context, answer.position)
        return unit_message(answer.value)

    async def ListLiveValues(
        self, request: live_values_pb2.ListLiveValuesRequest, context: Context
    ) -> AsyncIterator[live_values_pb2.ListLiveValuesResponse]:
        answer = await self._live_values.list(
            selection_of(request.selection), asked_list_of(request, LIVE_VALUES)
        )
        tell_position(context, answer.position)
        position = position_message(answer.position)
        for part in parts_of(answer.value):
            units = map(unit_message, part)
            yield live_values_pb2.ListLiveValuesResponse(units=units, position=position)

    async def TakeSnapshot(
        self, request: live_values_pb2.TakeSnapshotRequest, context: Context
    ) -> live_values_pb2.TakeSnapshotResponse:
        answer = await self._taking.take(
            caller_of(context, "LiveValues.TakeSnapshot", request, hash_of(request)),
            Taking(
                id=Kind.SNAPSHOT.id_of(request.name),
                selection=selection_of(request.selection),
                description=request.description,
                marks=tuple(request.marks),
                even_so=request.even_so,
            ),
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return live_values_pb2.TakeSnapshotResponse(
            snapshot=cast("snapshot_pb2.Snapshot", to_message(answer.value.snapshot)),
            without_values=map(Kind.CONTROL_UNIT.name_of, answer.value.without_values),
            not_in_touch=map(Kind.CONTROL_UNIT.name_of, answer.value.not_in_touch),
        )

    async def PlanRestore(
        self, request: live_values_pb2.PlanRestoreRequest, context: Context
    ) -> live_values_pb2.RestorePlan:
        answer = await self._restoring.plan(
            Restoring(
                id=Kind.SNAPSHOT.id_of(request.name),
                selection=selection_of(request.selection),
                attributes=frozenset(request.attributes),
                tolerance=tolerance_of(request.tolerance),
            )
        )
        tell_position(context, answer.position)
        return live_values_pb2.RestorePlan(
            edits=map(edits_message, answer.value.edits),
            different=answer.value.different,
            equal=answer.value.equal,
            left_out=map(note_message, answer.value.left_out),
            strayed=map(note_message, answer.value.strayed),
            position=position_message(answer.position),
        )


def edits_message(unit: UnitEdits) -> operation_pb2.UnitEdits:
    edits = [edit_pb2.FieldEdit(path=each.path, value=each.value) for each in unit.edits]
    return operation_pb2.UnitEdits(name=Kind.CONTROL_UNIT.name_of(unit.id), edits=edits)


def note_message(note: NotedValue) -> live_values_pb2.NotedValue:
    return live_values_pb2.NotedValue(
        control_unit=Kind.CONTROL_UNIT.name_of(note.control_unit),
        attribute=note.attribute,
        note=note.note,
    )


def parts_of(units: Sequence[UnitLiveValues]) -> Iterator[list[UnitLiveValues]]:
    """Units in pieces that fit in a message; one piece of none where there are none."""
    part: list[UnitLiveValues] = []
    size = 0
    for each in units:
        length = sum(len(value.attribute) + len(value.value) for value in each.values or ())
        length += len(each.control_unit)
        if part and size + length > LARGEST_PART_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(each)
        size += length
    yield part


def unit_message(unit: UnitLiveValues) -> live_values_pb2.UnitLiveValues:
    return live_values_pb2.UnitLiveValues(
        name=Kind.CONTROL_UNIT.name_of(unit.control_unit),
        contact=CONTACTS.number[unit.contact],
        state=STATES.number[unit.state],
        values=[value_message(each, unit.read_us) for each in unit.values or ()],
        has_reported=unit.values is not None,
    )


def value_message(value: LiveValue, read_us: int) -> live_values_pb2.LiveValue:
    return live_values_pb2.LiveValue(
        attribute=value.attribute,
        type=VALUE_TYPES.number[value.type],
        value=value.value,
        age=duration_message(max(0, read_us - value.time_us)),
    )
