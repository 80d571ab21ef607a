"""Who was admitted, who waits, and who was refused, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from metadata_server.services.admission import Admission
from metadata_server.store.turns import Turns


def add_admission_figures(registry: CollectorRegistry, turns: Turns, admission: Admission) -> None:
    """Counts nothing itself: what is asked for once in some seconds costs no call anything."""
    registry.register(AdmissionFigures(turns, admission))


class AdmissionFigures(Collector):
    """Reads what door and turns have counted, whenever figures are asked for."""

    def __init__(self, turns: Turns, admission: Admission) -> None:
        self._turns = turns
        self._admission = admission

    def collect(self) -> Iterator[Metric]:
        admitted = CounterMetricFamily(
            "mds_admission_admitted", "Turns at the database that began.", labels=["rank"]
        )
        waiting = GaugeMetricFamily(
            "mds_admission_waiting", "Who waits for a turn at the database.", labels=["rank"]
        )
        waits = CounterMetricFamily(
            "mds_admission_waits",
            "Waits for a turn that ended, with one or without.",
            labels=["rank"],
        )
        seconds = CounterMetricFamily(
            "mds_admission_wait_seconds", "Time of all these waits.", labels=["rank"]
        )
        for rank, told in self._turns.told.items():
            admitted.add_metric([rank], told.admitted)
            waiting.add_metric([rank], told.waiting)
            waits.add_metric([rank], told.waits)
            seconds.add_metric([rank], told.waited_s)
        yield from (admitted, waiting, waits, seconds, self._refused(), self._clients())

    def _refused(self) -> Metric:
        refused = CounterMetricFamily(
            "mds_admission_refused",
            "Calls, and connections of HTTP, that were refused under pressure.",
            labels=["cause"],
        )
        for causes, counted in (
            (TURN_CAUSES, self._turns.refused),
            (CLIENT_CAUSES, self._admission.refused),
        ):
            for cause in causes:
                refused.add_metric([cause], counted[cause])
        return refused

    def _clients(self) -> Metric:
        return GaugeMetricFamily(
            "mds_admission_clients", "Clients that are remembered.", value=self._admission.clients
        )


TURN_CAUSES = ("wait", "expected_wait", "full")
CLIENT_CAUSES = (
    *("all_calls", "calls_at_once", "rate"),
    *("all_streams", "streams", "bytes", "strangers"),
    "connections",
)
