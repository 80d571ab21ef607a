"""What happens in the store, counted for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from metadata_server.store.observer import StoreObserver
from metadata_server.store.store import Store
from metadata_server.store.traces import NoTraces, Traces

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class StoreFigures(StoreObserver):
    """Transactions and how they ended, why they ran again, and who waits for a connection."""

    def __init__(self, registry: CollectorRegistry, traces: Traces | None = None) -> None:
        self.traces = traces or NoTraces()
        self._transactions = Counter(
            "mds_transactions",
            "Transactions that ended: `done`, `failed`, or the reason of a refusal.",
            ["kind", "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "mds_transaction_seconds",
            "Time of transactions, with all tries, without the wait for a thread.",
            ["kind"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._runs_again = Counter(
            "mds_transaction_retries",
            "Transactions that ran again, by cause.",
            ["cause"],
            registry=registry,
        )
        self._certifications = Counter(
            "mds_certification_failures",
            "Commits that another node of the cluster stood against: more than one node writes.",
            registry=registry,
        )
        self._connections = Gauge(
            "mds_database_connections",
            "Connections to the database, of each pool.",
            ["pool", "state"],
            registry=registry,
        )

    def ended(self, kind: str, outcome: str, seconds: float) -> None:
        self._seconds.labels(kind).observe(seconds)
        self._transactions.labels(kind, outcome).inc()

    def runs_again(self, cause: str, *, committing: bool) -> None:
        self._runs_again.labels(cause).inc()
        self.traces.happens("runs_again", cause=cause)
        if committing:
            self._certifications.inc()

    def follow(self, store: Store) -> None:
        """Tells its connections, each time they are asked for."""
        for pool, connections in store.connections.items():
            self._connections.labels(pool, "in_use").set_function(connections.in_use)
            self._connections.labels(pool, "idle").set_function(connections.idle)
