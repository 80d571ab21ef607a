"""Setting and comparing of snapshots on the wire, besides the standard methods."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from google.protobuf.message import Message
from mds.v1 import snapshot_pb2

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages import to_message
from metadata_server.api.messages.enums import VALUE_TYPES
from metadata_server.api.messages.position import position_message
from metadata_server.api.messages.reading import Reading
from metadata_server.api.standard import hash_of
from metadata_server.domain.intent.attribute import ValueType
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.values.set_point import SetPoint
from metadata_server.domain.values.snapshot_comparison import Outcome, ValueDifference
from metadata_server.domain.values.tolerance import tolerance_of
from metadata_server.services.values.snapshots import Comparing, Side, Snapshots

LARGEST_PART_CHARACTERS = 1_000_000
"""Of values in one message; a single larger difference has a message of its own."""


class SnapshotMethods:
    """Handlers for what can be done to snapshots besides the standard methods."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    def handlers(self) -> dict[str, Callable[[Any, Context], Any]]:
        """Handlers by method name."""
        return {"SetSnapshotValues": self.set_values, "CompareSnapshots": self.compare}

    async def set_values(
        self, request: snapshot_pb2.SetSnapshotValuesRequest, context: Context
    ) -> Message:
        answer = await self._snapshots.set_values(
            caller_of(context, "Snapshots.SetSnapshotValues", request, hash_of(request)),
            Kind.SNAPSHOT.id_of(request.name),
            set_points_of(request),
            etag=request.etag,
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return to_message(answer.value)

    async def compare(
        self, request: snapshot_pb2.CompareSnapshotsRequest, context: Context
    ) -> AsyncIterator[snapshot_pb2.CompareSnapshotsResponse]:
        answer = await self._snapshots.compare(comparing_of(request))
        tell_position(context, answer.position)
        comparison = answer.value.comparison
        for part in parts_of(comparison.differences):
            yield snapshot_pb2.CompareSnapshotsResponse(differences=map(difference_message, part))
        counts = comparison.counts
        yield snapshot_pb2.CompareSnapshotsResponse(
            counts=snapshot_pb2.ComparisonCounts(
                equal=counts[Outcome.EQUAL],
                different=counts[Outcome.DIFFERENT],
                missing=counts[Outcome.MISSING],
                missing_from_other=counts[Outcome.MISSING_FROM_OTHER],
            ),
            position=position_message(answer.position),
            not_in_touch=map(Kind.CONTROL_UNIT.name_of, answer.value.not_in_touch),
        )


def set_points_of(request: snapshot_pb2.SetSnapshotValuesRequest) -> list[SetPoint]:
    reading = Reading()
    found = [
        SetPoint(
            each.control_unit,
            each.attribute,
            each.value,
            reading.member(
                VALUE_TYPES, each.type, f"values[{position}].type", ValueType.UNSPECIFIED
            ),
        )
        for position, each in enumerate(request.values)
    ]
    reading.finish()
    return found


def comparing_of(request: snapshot_pb2.CompareSnapshotsRequest) -> Comparing:
    """What a request compares.

    Raises:
        Refused: INVALID_ID, INVALID_FIELD.
    """
    id = Kind.SNAPSHOT.id_of(request.name)
    other: str | Side = Side.LIVE if request.live else Side.INTENDED
    if request.WhichOneof("other") == "snapshot":
        other = Kind.SNAPSHOT.id_of(request.snapshot, field="snapshot")
    elif not (request.configured or request.live):
        expected = "the name of a snapshot, or configured: true or live: true instead"
        raise Refused.wrong_fields([WrongField("snapshot", "", expected)])
    return Comparing(
        id=id,
        other=other,
        tolerance=tolerance_of(request.tolerance),
        id_prefix=request.id_prefix,
    )


def parts_of(differences: Sequence[ValueDifference]) -> Iterator[list[ValueDifference]]:
    """Differences in pieces that fit in a message."""
    part: list[ValueDifference] = []
    size = 0
    for each in differences:
        length = len(each.control_unit) + len(each.attribute)
        length += len(each.value or "") + len(each.other_value or "")
        if part and size + length > LARGEST_PART_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(each)
        size += length
    if part:
        yield part


def difference_message(difference: ValueDifference) -> snapshot_pb2.ValueDifference:
    deviation = difference.deviation
    return snapshot_pb2.ValueDifference(
        control_unit=difference.control_unit,
        attribute=difference.attribute,
        value=difference.value,
        other_value=difference.other_value,
        deviation="" if deviation is None else str(deviation),
        different_elements=difference.elements,
    )
