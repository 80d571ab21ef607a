"""The lives of a control unit as they were at a moment: of what came later, nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.history_pb2 import ListChangeSetsRequest
from mds.v1.instantiation_pb2 import Instantiation

from control_units.client import Client


async def time_of(client: Client, as_of: str) -> datetime | None:
    """When that is: of a revision, the time of the last change up to it; None: now.

    Raises:
        ClientError
    """
    if not as_of:
        return None
    if not as_of.isdecimal():
        return datetime.fromisoformat(as_of).astimezone(UTC)
    page = await client.history.ListChangeSets(
        ListChangeSetsRequest(filter=f"revision<={as_of}", page_size=1)
    )
    return max((_time(each.time) for each in page.change_sets), default=datetime.now(UTC))


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
