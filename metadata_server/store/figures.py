"""What the store counts of itself, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy.pool import QueuePool

from metadata_server.domain.refused import Refused
from metadata_server.store.database import Database

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DONE, FAILED = "done", "failed"


class StoreFigures:
    """Transactions and how they ended, why they ran again, and who waits for a connection."""

    def __init__(self, registry: CollectorRegistry) -> None:
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
        self._tries_again = Counter(
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

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Counts one transaction and its time."""
        begun, outcome = time.perf_counter(), FAILED
        try:
            yield
            outcome = DONE
        except Refused as refused:
            outcome = refused.reason
            raise
        finally:
            self._seconds.labels(kind).observe(time.perf_counter() - begun)
            self._transactions.labels(kind, outcome).inc()

    def tries_again(self, cause: str, *, committing: bool = False) -> None:
        """A transaction runs again.

        Args:
            committing: it was at its COMMIT, where no lock is waited for any more.
        """
        self._tries_again.labels(cause).inc()
        if committing:
            self._certifications.inc()

    def follow(self, database: Database) -> None:
        """Tells the connections of its pools, each time they are asked for."""
        for name, engine in (("writing", database.writing), ("reading", database.reading)):
            pool = engine.pool
            if isinstance(pool, QueuePool):
                self._connections.labels(name, "in_use").set_function(pool.checkedout)
                self._connections.labels(name, "idle").set_function(pool.checkedin)
