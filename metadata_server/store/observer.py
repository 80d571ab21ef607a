"""What may be known of the store from outside: how transactions end, who waits for a connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.pool import Pool, QueuePool

from metadata_server.domain.refused import Refused
from metadata_server.store.traces import NoTraces, Traces

DONE, FAILED = "done", "failed"


class StoreObserver:
    """Is told, in threads of the store, what happens there; this one does not listen.

    Attributes:
        traces: of what transactions are parts.
    """

    traces: Traces = NoTraces()

    def ended(self, kind: str, outcome: str, seconds: float) -> None:
        """A transaction has ended, after all its tries.

        Args:
            kind: `read` or `write`.
            outcome: `done`, `failed`, or the reason of a refusal.
        """

    def runs_again(self, cause: str, *, committing: bool) -> None:
        """A transaction runs again.

        Args:
            committing: it was at its COMMIT, where no lock is waited for any more: another node
                of the cluster has written the same rows.
        """


@contextmanager
def observed(observer: StoreObserver, kind: str) -> Iterator[None]:
    """Tells of one transaction."""
    begun, outcome = time.perf_counter(), FAILED
    try:
        with observer.traces.part(f"store.{kind}"):
            yield
        outcome = DONE
    except Refused as refused:
        outcome = refused.reason
        raise
    finally:
        observer.ended(kind, outcome, time.perf_counter() - begun)


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections a pool has, whenever that is asked."""

    in_use: Callable[[], int]
    idle: Callable[[], int]

    @classmethod
    def of(cls, pool: Pool) -> Connections:
        if isinstance(pool, QueuePool):
            return cls(pool.checkedout, pool.checkedin)
        return cls(lambda: 0, lambda: 0)
