"""An operation as it was at a moment: how far it had come is not kept, but when each step last
began and ended is."""

from collections.abc import Iterable
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.operation_pb2 import Operation
from mds.v1.operation_step_pb2 import (
    STEP_STATE_EXECUTING,
    STEP_STATE_PENDING,
    STEP_STATE_UNSPECIFIED,
    OperationStep,
    StepState,
)

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
_OF_A_STEP_NOW = ("state", "minor_state", "message", "attempts", "end_time", "deadline", "revision")


def as_it_was(operation: Operation, then: datetime) -> Operation:
    """Without a phase, and all that goes with it, where something of it has changed since."""
    if not has_changed_since(operation, then):
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


def has_changed_since(operation: Operation, then: datetime) -> bool:
    """Whether it was under way then, as nothing changes of one that has ended and is not retried."""
    return _time(operation.update_time) > then


def steps_as_they_were(steps: Iterable[OperationStep], then: datetime) -> list[OperationStep]:
    """Those of an operation that has changed since; of its way back only what had begun."""
    return [
        _step_as_it_was(step, then)
        for step in steps
        if not step.is_way_back or _had_come(step, "start_time", then)
    ]


def _step_as_it_was(step: OperationStep, then: datetime) -> OperationStep:
    if _had_come(step, "end_time", then) or _never_was_to_begin(step):
        return step
    was = OperationStep()
    was.CopyFrom(step)
    for field in _OF_A_STEP_NOW:
        was.ClearField(field)  # type: ignore[arg-type]
    was.state = _state_then(step, then)
    if was.state != STEP_STATE_EXECUTING:
        was.ClearField("start_time")
    return was


def _state_then(step: OperationStep, then: datetime) -> StepState.ValueType:
    if _had_come(step, "start_time", then):
        return STEP_STATE_EXECUTING
    # Only its last try is known by time: an earlier one may have been under way, or over.
    return STEP_STATE_UNSPECIFIED if step.attempts > 1 else STEP_STATE_PENDING


def _never_was_to_begin(step: OperationStep) -> bool:
    """Left out, or with nothing to do: so it has been since the operation was planned."""
    timeless = not step.HasField("start_time") and not step.HasField("end_time")
    return timeless and step.state != STEP_STATE_PENDING


def _had_come(step: OperationStep, field: str, then: datetime) -> bool:
    return step.HasField(field) and _time(getattr(step, field)) <= then  # type: ignore[arg-type]


def standing_of(operation: Operation) -> Mark:
    """Its phase; of one that has changed since, that it was under way."""
    return phase_of(operation) if operation.phase else UNDER_WAY


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
