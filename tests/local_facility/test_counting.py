"""What counts as running, and as up."""

import pytest
from mds.v1.overview_pb2 import (
    GetOverviewResponse,
    HealthCount,
    StateCount,
    UnitServerSummary,
)
from mds.v1.state_pb2 import Health, State
from mds.v1.unit_server_pb2 import UnitServerStatus

from control_units.local_facility.counting import Count, hosting_unit_servers


def overview(declared: int, running: int, good: int) -> GetOverviewResponse:
    return GetOverviewResponse(
        control_units=declared,
        state_counts=[
            StateCount(state=State.STATE_RUNNING, count=running),
            StateCount(state=State.STATE_LOADED, count=declared - running),
        ],
        health_counts=[
            HealthCount(health=Health.HEALTH_GOOD, count=good),
            HealthCount(health=Health.HEALTH_CHANGING, count=declared - good),
        ],
    )


def test_a_facility_is_up_when_every_unit_is_as_people_want_it() -> None:
    assert not Count.of(overview(declared=5, running=4, good=4)).is_complete
    assert Count.of(overview(declared=5, running=4, good=5)).is_complete


@pytest.mark.parametrize(
    ("running", "good", "text"),
    [
        (5, 5, "5 of 5 control units RUNNING"),
        (4, 5, "4 of 5 control units RUNNING, 1 as wanted in another state"),
        (0, 0, "0 of 5 control units RUNNING"),
    ],
)
def test_the_count_is_told(running: int, good: int, text: str) -> None:
    assert str(Count.of(overview(5, running, good))) == text


def test_a_unit_that_said_running_and_has_gone_does_not_count() -> None:
    """A crash leaves its last word behind: RUNNING, but not in touch."""
    assert str(Count.of(overview(declared=5, running=5, good=2))).startswith("2 of 5")


def test_only_unit_servers_that_host_units_are_played_the_largest_first() -> None:
    def summary(id: str, control_units: int) -> UnitServerSummary:
        status = UnitServerStatus(unit_server=f"unit_servers/{id}")
        return UnitServerSummary(status=status, control_units=control_units)

    response = GetOverviewResponse(
        unit_server_summaries=[summary("small", 1), summary("empty", 0), summary("BTF/large", 9)]
    )
    assert hosting_unit_servers(response) == ["BTF/large", "small"]
