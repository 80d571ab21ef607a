"""The lives of a control unit as they were at a moment: of what came later, nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.instantiation_pb2 import Instantiation


def as_they_were(lives: Iterable[Instantiation], then: datetime) -> list[Instantiation]:
    """Those that had begun by then, without their later states and ends."""
    return [_as_it_was(life, then) for life in lives if _time(life.begin_time) <= then]


def _as_it_was(life: Instantiation, then: datetime) -> Instantiation:
    was = Instantiation()
    was.CopyFrom(life)
    del was.states[:]
    was.states.extend(each for each in life.states if _time(each.time) <= then)
    if life.HasField("end_time") and _time(life.end_time) > then:
        was.ClearField("end_time")
        was.ClearField("end_reason")
    return was


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
