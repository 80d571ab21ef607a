"""The facility's numbers in Prometheus's form; every replica tells the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.replica import DatabaseRole, ReplicaState
from metadata_server.services.counts import Counted, Counts

K = TypeVar("K", bound=str)


class FacilityFigures(Collector):
    """Tells what was counted last; nothing while that cannot be known, for an old number would
    look like a good one."""

    def __init__(self, counts: Counts, registry: CollectorRegistry) -> None:
        self._counts = counts
        self._registry = registry
        registry.register(self)

    async def text(self) -> bytes:
        """All figures of this process, with the facility's as of now."""
        await self._counts.read()
        return generate_latest(self._registry)

    @override
    def collect(self) -> Iterator[Metric]:
        counted = self._counts.counted
        if counted is None:
            return
        yield from _units(counted)
        yield from _servers(counted)
        yield _gauge(
            "mds_operations", "Operations that have not ended.", "phase", counted.operations
        )
        yield _gauge("mds_conditions", "Conditions that hold.", "type", counted.conditions)
        if counted.unsaved_us is not None:
            yield GaugeMetricFamily(
                "mds_backup_age_seconds",
                "Age of the last backup, or of the first change where none was made.",
                value=counted.unsaved_us / 1_000_000,
            )
        yield GaugeMetricFamily(
            "mds_revisions_ahead_seconds",
            "By how much times of revisions are ahead of the database's clock, which was ahead once.",
            value=counted.ahead_us / 1_000_000,
        )


def _units(counted: Counted) -> Iterator[Metric]:
    tally = counted.overview.tally
    yield _gauge("mds_control_units", "Control units by state.", "state", tally.states, every=State)
    yield _gauge(
        "mds_control_units_by_health",
        "Control units by verdict.",
        "health",
        tally.healths,
        every=Health,
    )
    contacts = Counter(each.session.contact for each in counted.overview.unit_servers)
    yield _gauge("mds_unit_servers", "Unit servers by contact.", "contact", contacts, every=Contact)


def _servers(counted: Counted) -> Iterator[Metric]:
    standing = counted.standing
    replicas = Counter(each.state(standing.now_us) for each in standing.replicas)
    yield _gauge("mds_replicas", "Metadata servers.", "state", replicas, every=ReplicaState)
    roles = Counter(each.role for each in standing.nodes)
    yield _gauge("mds_database_nodes", "Nodes of the database.", "role", roles, every=DatabaseRole)


def _gauge(
    name: str, what: str, label: str, counts: Mapping[K, int], *, every: Iterable[K] = ()
) -> Metric:
    """
    Args:
        every: values that are told also where there is none: a series that goes away cannot be
            compared.
    """
    family = GaugeMetricFamily(name, what, labels=[label])
    for value in sorted({*every, *counts}):
        family.add_metric([str(value)], counts.get(value, 0))
    return family
