"""Overviews as a server would send them, of facilities as large as a test wants."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1 import overview_pb2, state_pb2, unit_server_pb2

NOW = datetime(2026, 3, 14, 7, 45, 12, tzinfo=UTC)


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


@dataclass
class Unit:
    """One unit as the overview counts it."""

    id: str
    unit_server: str
    state: state_pb2.State.ValueType = state_pb2.STATE_RUNNING
    health: state_pb2.Health.ValueType = state_pb2.HEALTH_GOOD
    desired: state_pb2.State.ValueType = state_pb2.STATE_RUNNING
    message: str = ""

    @property
    def zone(self) -> str:
        return self.id.partition("/")[0] if "/" in self.id else ""


@dataclass
class Server:
    """One unit server as the overview shows it."""

    id: str
    contact: state_pb2.Contact.ValueType = state_pb2.CONTACT_ALIVE
    ended: datetime | None = None

    def status(self) -> unit_server_pb2.UnitServerStatus:
        status = unit_server_pb2.UnitServerStatus(
            name=f"unit_server_statuses/{self.id}",
            unit_server=f"unit_servers/{self.id}",
            contact=self.contact,
        )
        if self.contact != state_pb2.CONTACT_NONE or self.ended:
            status.session = "s1"
            status.host, status.pid, status.version = "plc07", 4711, "1.4.2"
            status.start_time.CopyFrom(stamp(NOW - timedelta(hours=3)))
        if self.ended:
            status.end_time.CopyFrom(stamp(self.ended))
        return status


def overview(servers: Iterable[Server], units: Iterable[Unit]) -> overview_pb2.GetOverviewResponse:
    """What a server answers for these."""
    all_servers, all_units = list(servers), list(units)
    contacts = {server.id: server.contact for server in all_servers}
    made = overview_pb2.GetOverviewResponse(
        control_units=len(all_units),
        unit_servers=len(all_servers),
        state_counts=_states(all_units),
        health_counts=_healths(all_units),
        replica="mds-1",
        version="0.1.0",
    )
    made.time.CopyFrom(stamp(NOW))
    made.position.revision = 1207
    _add_contacts(made, all_servers, all_units)
    _add_zones(made, all_units)
    for server in all_servers:
        hosted = [unit for unit in all_units if unit.unit_server == server.id]
        row = made.unit_server_summaries.add(
            status=server.status(),
            health=max((unit.health for unit in hosted), default=state_pb2.HEALTH_GOOD),
            control_units=len(hosted),
            state_counts=_states(hosted),
            health_counts=_healths(hosted),
        )
        assert row.status.unit_server
    made.unit_server_summaries.sort(key=lambda row: (-row.health, row.status.unit_server))
    abnormal = [unit for unit in all_units if unit.health > state_pb2.HEALTH_CHANGING]
    for unit in sorted(abnormal, key=lambda unit: (-unit.health, unit.id)):
        _add_abnormal(made, unit, contacts.get(unit.unit_server, state_pb2.CONTACT_NONE))
    made.abnormal_total = len(abnormal)
    return made


def _add_contacts(
    made: overview_pb2.GetOverviewResponse, servers: list[Server], units: list[Unit]
) -> None:
    contacts = {server.id: server.contact for server in servers}
    for contact in sorted(set(contacts.values())):
        made.contact_counts.add(
            contact=contact,
            unit_servers=sum(server.contact == contact for server in servers),
            control_units=sum(contacts.get(unit.unit_server) == contact for unit in units),
        )


def _add_zones(made: overview_pb2.GetOverviewResponse, units: list[Unit]) -> None:
    for zone in sorted({unit.zone for unit in units}):
        there = [unit for unit in units if unit.zone == zone]
        worst = max(unit.health for unit in there)
        count = sum(unit.health == worst for unit in there)
        word = state_pb2.Health.Name(worst).removeprefix("HEALTH_")
        made.zones.add(
            zone=zone,
            health=worst,
            control_units=len(there),
            health_counts=_healths(there),
            state_counts=_states(there),
            why="" if worst == state_pb2.HEALTH_GOOD else f"{count} of {len(there)} {word}",
        )
        if worst != state_pb2.HEALTH_GOOD:
            made.zones[-1].causes.add(why=word, count=count, health=worst, since_time=made.time)
    made.zones.sort(key=lambda zone: (-zone.health, zone.zone))


def _add_abnormal(
    made: overview_pb2.GetOverviewResponse, unit: Unit, contact: state_pb2.Contact.ValueType
) -> None:
    line = made.abnormal_units.add(
        control_unit=f"control_units/{unit.id}",
        unit_server=f"unit_servers/{unit.unit_server}" if unit.unit_server else "",
        state=unit.state,
        desired_state=unit.desired,
        contact=contact,
        health=unit.health,
        message=unit.message,
    )
    line.state_time.CopyFrom(stamp(NOW - timedelta(minutes=4, seconds=7)))


def _states(units: list[Unit]) -> list[overview_pb2.StateCount]:
    counts = Counter(unit.state for unit in units)
    return [overview_pb2.StateCount(state=s, count=n) for s, n in sorted(counts.items())]


def _healths(units: list[Unit]) -> list[overview_pb2.HealthCount]:
    counts = Counter(unit.health for unit in units)
    ordered = sorted(counts.items(), reverse=True)
    return [overview_pb2.HealthCount(health=h, count=n) for h, n in ordered]
