"""How a unit server stands, in Prometheus's form."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from control_units.states import State

if TYPE_CHECKING:
    from control_units.unit_server import UnitServer


class UnitServerFigures(Collector):
    """Asked in another thread: reads, and changes nothing."""

    def __init__(self, unit_server: "UnitServer", registry: CollectorRegistry) -> None:
        self._unit_server = unit_server
        registry.register(self)

    @override
    def collect(self) -> Iterator[Metric]:
        server = self._unit_server
        units = list(server.hosting.units.values())
        states = Counter(unit.standing.state for unit in units)
        yield self._states(states)
        is_attached, converging = server.is_attached, sum(each.is_converging for each in units)
        for name, what, value in (
            ("attached", "Whether it has a stream with a metadata server.", is_attached),
            ("lease_held", "Whether its lease runs.", server.has_lease),
            ("converging_units", "Units that are on their way to what is wanted.", converging),
            (
                "reports_waiting",
                "Units whose last report no metadata server has written yet.",
                server.hosting.outbox.waiting,
            ),
        ):
            yield self._gauge(f"mds_unit_server_{name}", what, value)

    def _states(self, states: Counter[State]) -> Metric:
        labels = ["unit_server", "state"]
        family = GaugeMetricFamily("mds_unit_server_units", "Units by state.", labels=labels)
        for state in State:
            family.add_metric([self._id, state.name], states[state])
        return family

    def _gauge(self, name: str, what: str, value: float) -> Metric:
        family = GaugeMetricFamily(name, what, labels=["unit_server"])
        family.add_metric([self._id], value)
        return family

    @property
    def _id(self) -> str:
        return self._unit_server.identity.unit_server
