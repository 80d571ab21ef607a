"""How far a facility has come up."""

from dataclasses import dataclass

from mds.v1.overview_pb2 import GetOverviewResponse
from mds.v1.state_pb2 import Health, State


@dataclass(frozen=True, slots=True)
class Count:
    """Control units, counted.

    Attributes:
        running: in touch and RUNNING.
        settled: as people want them to be, RUNNING or not.
        declared: all.
    """

    running: int
    settled: int
    declared: int

    @classmethod
    def of(cls, overview: GetOverviewResponse) -> "Count":
        states = {entry.state: entry.count for entry in overview.state_counts}
        verdicts = {entry.health: entry.count for entry in overview.health_counts}
        settled = verdicts.get(Health.HEALTH_GOOD, 0)
        # A state is what a unit said last; one whose process is gone may have said RUNNING.
        running = min(states.get(State.STATE_RUNNING, 0), settled)
        return cls(running, settled, overview.control_units)

    @property
    def is_complete(self) -> bool:
        return self.settled == self.declared

    def __str__(self) -> str:
        text = f"{self.running} of {self.declared} control units RUNNING"
        others = self.settled - self.running
        return f"{text}, {others} as wanted in another state" if others else text


def hosting_unit_servers(overview: GetOverviewResponse) -> list[str]:
    """Ids of the unit servers for which control units are declared, largest first: the one that
    takes longest to come up begins first."""
    hosts = [summary for summary in overview.unit_server_summaries if summary.control_units]
    hosts.sort(key=lambda summary: -summary.control_units)
    return [summary.status.unit_server.removeprefix("unit_servers/") for summary in hosts]
