"""What the store counts of itself."""

import threading

import pytest
from prometheus_client import CollectorRegistry

from metadata_server.api.store_figures import StoreFigures
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.facility import Agent
from metadata_server.domain.refused import Refused
from metadata_server.store.database import open_database
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import LostRace, UnitOfWork
from tests.stages.layout import lay_out

CALLER = Caller(principal=Principal("tester"), method="Tests.Change", reason="a test")


@pytest.fixture
def registry(database: str) -> CollectorRegistry:
    lay_out(database)
    return CollectorRegistry()


def figure(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


def test_transactions_are_counted_by_how_they_ended(
    database: str, registry: CollectorRegistry
) -> None:
    store = Store(open_database(database), observer=StoreFigures(registry))
    races = [LostRace("one"), LostRace("two")]

    def lose(unit: UnitOfWork) -> None:
        unit.save(Agent(id="a"))
        if races:
            raise races.pop()

    store.transact_now(lose, caller=CALLER)
    with pytest.raises(Refused):
        store.read_now(lambda unit: unit.resources.get(Agent, "missing"))
    store.close()
    assert figure(registry, "mds_transactions_total", kind="write", outcome="done") == 1
    assert figure(registry, "mds_transaction_retries_total", cause="race_lost") == 2
    refused = figure(registry, "mds_transactions_total", kind="read", outcome="AGENT_NOT_FOUND")
    assert refused == 1
    assert figure(registry, "mds_transaction_seconds_count", kind="write") == 1


def test_two_who_lock_each_other_out_are_counted_by_cause(mariadb_database: str) -> None:
    lay_out(mariadb_database)
    registry = CollectorRegistry()
    figures = StoreFigures(registry)
    store = Store(open_database(mariadb_database), observer=figures)
    figures.follow(store)
    for id in ("a", "b"):
        store.transact_now(lambda unit, id=id: unit.save(Agent(id=id)), caller=CALLER)  # type: ignore[misc]
    both_have_one = threading.Barrier(2, timeout=20)
    tries = threading.local()

    def lock(*ids: str) -> None:
        def work(unit: UnitOfWork) -> None:
            tries.count = getattr(tries, "count", 0) + 1
            for id in ids:
                unit.resources.get(Agent, id, lock=True)
                if id == ids[0] and tries.count == 1:
                    both_have_one.wait()

        store.transact_now(work, caller=CALLER)

    threads = [threading.Thread(target=lock, args=ids) for ids in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert figure(registry, "mds_transaction_retries_total", cause="deadlock") == 1
    assert figure(registry, "mds_certification_failures_total") == 0
    assert figure(registry, "mds_database_connections", pool="writing", state="in_use") == 0
