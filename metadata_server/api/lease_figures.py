"""Leases that ran out, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from metadata_server.services.life.sweeps import Sweeps


def add_lease_figures(registry: CollectorRegistry, sweeps: Sweeps) -> None:
    """Adds how often unit servers were lost: also of those that soon came back, whom the facility's
    numbers have forgotten."""
    registry.register(LeaseFigures(sweeps))


class LeaseFigures(Collector):
    """Tells what the sweeps of this replica have found; each is found by one replica."""

    def __init__(self, sweeps: Sweeps) -> None:
        self._sweeps = sweeps

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "mds_leases_ended",
            "Leases of unit servers that ran out, each told by one replica.",
            value=self._sweeps.leases_ended,
        )
