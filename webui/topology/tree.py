"""What runs where, in an order that depends on names alone: what is new moves nothing above it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mds.v1 import agent_pb2, control_unit_pb2, overview_pb2, state_pb2

from webui.names import id_of

Server = overview_pb2.UnitServerSummary
Status = control_unit_pb2.ControlUnitStatus


@dataclass(frozen=True, slots=True)
class Tally:
    """Of what is below: the worst verdict, and how much is not as it should be.

    Attributes:
        health: number of the verdict.
    """

    health: int
    servers: int
    units: int
    abnormal: int


@dataclass(frozen=True, slots=True)
class Agent:
    """What launches unit servers on a host; id empty: nobody does, or people by hand."""

    id: str
    servers: tuple[Server, ...]


@dataclass(frozen=True, slots=True)
class Host:
    """One machine; name empty: it is not known where these run."""

    name: str
    agents: tuple[Agent, ...]

    @property
    def servers(self) -> tuple[Server, ...]:
        return tuple(server for agent in self.agents for server in agent.servers)


def hosts_of(servers: Iterable[Server], agents: Iterable[agent_pb2.Agent]) -> tuple[Host, ...]:
    """By name; what runs on no known host last."""
    host_of_agent = {id_of(agent.name): agent.host for agent in agents}
    found: dict[str, dict[str, list[Server]]] = defaultdict(lambda: defaultdict(list))
    for server in servers:
        agent = id_of(server.agent)
        host = server.status.host or host_of_agent.get(agent, "")
        found[host][agent].append(server)
    seen = {agent for by_agent in found.values() for agent in by_agent}
    for id, host in host_of_agent.items():
        if id not in seen:  # it launches nothing, and is shown all the same
            found[host].setdefault(id, [])
    return tuple(
        Host(
            name,
            tuple(
                Agent(id, tuple(sorted(below, key=lambda each: each.status.unit_server)))
                for id, below in sorted(by_agent.items(), key=last_when_empty)
                if below or id
            ),
        )
        for name, by_agent in sorted(found.items(), key=last_when_empty)
    )


def last_when_empty(entry: tuple[str, object]) -> tuple[bool, str]:
    return (not entry[0], entry[0])


def tally_of(servers: Iterable[Server]) -> Tally:
    found = list(servers)
    return Tally(
        health=max((each.health for each in found), default=state_pb2.HEALTH_GOOD),
        servers=len(found),
        units=sum(each.control_units for each in found),
        abnormal=sum(abnormal_of(each) for each in found),
    )


def abnormal_of(server: Server) -> int:
    calm = (state_pb2.HEALTH_GOOD, state_pb2.HEALTH_CHANGING)
    return sum(each.count for each in server.health_counts if each.health not in calm)


def units_by_server(
    statuses: Iterable[Status], servers: Mapping[str, str]
) -> Mapping[str, tuple[Status, ...]]:
    """By the id of the unit server, each in the order of ids.

    Args:
        servers: ids of those that units are declared for, by name of the unit.
    """
    found: dict[str, list[Status]] = defaultdict(list)
    for status in statuses:
        found[servers.get(status.control_unit, "")].append(status)
    return {
        server: tuple(sorted(units, key=lambda each: each.control_unit))
        for server, units in found.items()
    }
