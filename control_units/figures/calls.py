"""Calls of a client, counted."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from typing_extensions import override

from control_units.client.observing import CallObserver

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""As the server counts them."""


class ClientFigures(CallObserver):
    """How calls of the metadata server ended, how long they took, how often they were repeated."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "mds_client_calls",
            "Calls and streams that ended.",
            ["method", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "mds_client_call_seconds",
            "Time of unary calls, with all tries.",
            ["method"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._again = Counter(
            "mds_client_retries",
            "Calls that were sent again, by cause.",
            ["method", "cause"],
            registry=registry,
        )
        self._streams = Gauge(
            "mds_client_streams", "Streams that are open.", ["method"], registry=registry
        )

    @override
    def ended(self, method: str, code: str, seconds: float) -> None:
        self._ended.labels(method, code).inc()
        self._seconds.labels(method).observe(seconds)

    @override
    def tries_again(self, method: str, cause: str) -> None:
        self._again.labels(method, cause).inc()

    @override
    def stream_begins(self, method: str) -> None:
        self._streams.labels(method).inc()

    @override
    def stream_ended(self, method: str, code: str) -> None:
        self._ended.labels(method, code).inc()
        self._streams.labels(method).dec()
