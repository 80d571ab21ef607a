"""The lives of a unit as of a moment have nothing of what came later."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.instantiation_pb2 import Instantiation, StateChange
from mds.v1.unit_server_pb2 import END_REASON_LEASE_ENDED

from webui.units.past_lives import as_they_were

BEGIN = datetime(2026, 11, 15, 3, 12, tzinfo=UTC)


def stamp(minutes: int) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(BEGIN + timedelta(minutes=minutes))
    return found


def life(begin: int, end: int, *states: int) -> Instantiation:
    return Instantiation(
        begin_time=stamp(begin),
        end_time=stamp(end),
        end_reason=END_REASON_LEASE_ENDED,
        states=[StateChange(time=stamp(each)) for each in states],
    )


def test_a_life_that_ended_later_goes_on_and_its_later_states_are_not_there() -> None:
    (was,) = as_they_were([life(0, 60, 1, 2, 40)], BEGIN + timedelta(minutes=30))
    assert not was.HasField("end_time")
    assert not was.end_reason
    assert [each.time for each in was.states] == [stamp(1), stamp(2)]


def test_a_life_that_had_ended_stays_as_it_is_and_one_that_began_later_is_not_there() -> None:
    ended = life(0, 20, 1)
    assert as_they_were([life(40, 60), ended], BEGIN + timedelta(minutes=30)) == [ended]
