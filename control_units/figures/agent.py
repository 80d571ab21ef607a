"""How an agent stands, in Prometheus's form."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from control_units.agent.reporting import Reporting
from control_units.agent.standing import ProcessState
from control_units.agent.supervisor import Supervisor


class AgentFigures(Collector):
    """Asked in another thread: reads, and changes nothing."""

    def __init__(
        self,
        agent: str,
        supervisor: Supervisor,
        reporting: Reporting,
        registry: CollectorRegistry,
    ) -> None:
        self._agent = agent
        self._supervisor = supervisor
        self._reporting = reporting
        registry.register(self)

    @override
    def collect(self) -> Iterator[Metric]:
        standings = self._supervisor.standings
        states = Counter(each.state for each in standings.values())
        processes = GaugeMetricFamily(
            "mds_agent_processes", "Unit servers that it launches, by state of their process.",
            labels=["agent", "state"],
        )  # fmt: skip
        for state in ProcessState:
            processes.add_metric([self._agent, state], states[state])
        yield processes
        restarts = CounterMetricFamily(
            "mds_agent_restarts", "Times that it launched a unit server again by itself.",
            labels=["agent", "unit_server"],
        )  # fmt: skip
        for id, standing in standings.items():
            restarts.add_metric([self._agent, id], standing.restarts)
        yield restarts
        in_touch = GaugeMetricFamily(
            "mds_agent_in_touch", "Whether its last report was heard.", labels=["agent"]
        )
        in_touch.add_metric([self._agent], self._reporting.is_in_touch)
        yield in_touch
