"""An operation as it was at a moment: how far it had come is not kept."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.operation_pb2 import Operation

from webui.operations.phases import phase_of
from webui.translation import gettext_noop
from webui.vocabulary import Mark

UNDER_WAY = Mark(gettext_noop("Under way then"), "unknown", "unknown")
_OF_NOW = (
    "revision",
    "phase",
    "minor_state",
    "message",
    "counts",
    "replica",
    "update_time",
    "sign_of_life_time",
    "estimated_end_time",
    "deadline",
)


def as_it_was(operation: Operation, then: datetime) -> Operation:
    """Without a phase, and all that goes with it, where something of it has changed since."""
    if _time(operation.update_time) <= then:
        return operation
    was = Operation()
    was.CopyFrom(operation)
    for field in _OF_NOW:
        was.ClearField(field)  # type: ignore[arg-type]
    if _time(operation.start_time) > then:
        was.ClearField("start_time")
    if _time(operation.end_time) > then:
        was.ClearField("end_time")
    return was


def standing_of(operation: Operation) -> Mark:
    """Its phase; of one that has changed since, that it was under way."""
    return phase_of(operation) if operation.phase else UNDER_WAY


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
