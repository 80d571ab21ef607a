"""Two nodes of a cluster: what is known of the one that stands by, and what it tells when it is left
behind. It goes on as if nothing had happened until it hears of that."""

import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from metadata_server.api.store_figures import StoreFigures
from metadata_server.domain.replica import DatabaseNode, DatabaseRole
from metadata_server.services import standbys
from metadata_server.services.replicas import Replicas
from metadata_server.store.database import Fault, fault_of, open_database
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.galera import Galera, two_nodes, what_is_missing
from tests.stages.layout import lay_out
from tests.stages.opened_store import opened_store
from tests.stages.requirements import needs
from tests.stages.waiting import until

LATE = "evs.inactive_check_period=PT1S;evs.suspect_timeout=PT3S;evs.inactive_timeout=PT6S"
"""After so long it hears of it; the others are sooner."""
ONE_MORE = text("UPDATE observer SET sweep_us = sweep_us + 1")
KINDS = ("reading", "writing", "glancing")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Galera, Galera]]:
    """Of which the first goes on without the second."""
    needs(what_is_missing(join=True))
    with two_nodes(tmp_path_factory.mktemp("cluster"), timers=LATE) as both:
        both[0].execute("SET GLOBAL wsrep_provider_options = 'pc.weight=3'")
        yield both


@pytest.fixture(scope="module")
def addresses(nodes: tuple[Galera, Galera]) -> tuple[str, str]:
    """Of one store, by either node."""
    first, second = nodes
    name = first.create_database()
    lay_out(first.url(name))
    second.execute("SET wsrep_sync_wait = 1", f"SELECT 1 FROM {name}.observer")  # waits for it
    return first.url(name), second.url(name)


def read(url: str, kind: str) -> str | Fault:
    """What a new connection reads, or means by not reading."""
    database = open_database(url)
    engine: Engine = getattr(database, kind)
    try:
        with engine.connect() as connection:
            return str(connection.execute(text("SELECT value FROM note")).scalar())
    except DBAPIError as error:
        return fault_of(error)
    finally:
        database.dispose()


async def standby_of(store: Store) -> DatabaseNode:
    _writer, standby = (await Replicas(store).list()).value.nodes
    return standby


async def test_a_commit_that_another_node_stood_against_is_counted_and_runs_again(
    nodes: tuple[Galera, Galera], addresses: tuple[str, str]
) -> None:
    first, second = addresses
    # One that stood still in another test comes back by itself.
    await until(lambda: [each.status("wsrep_ready") for each in nodes] == ["ON", "ON"], within=30)
    registry = CollectorRegistry()
    mine = Store(open_database(first), observer=StoreFigures(registry))
    others = Store(open_database(second))
    tries: list[int] = []

    def write_beside_another(unit: UnitOfWork) -> None:
        tries.append(unit.connection.execute(ONE_MORE).rowcount)
        if len(tries) == 1:
            others.transact_now(lambda unit: unit.connection.execute(ONE_MORE))

    try:
        mine.transact_now(write_beside_another)
    finally:
        mine.close()
        others.close()
    assert tries == [1, 1]
    assert registry.get_sample_value("mds_certification_failures_total") == 1


async def test_the_one_that_stands_by_says_itself_how_far_it_is(
    nodes: tuple[Galera, Galera], addresses: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = nodes
    monkeypatch.setattr(standbys, "FRESH_S", 0.0)
    monkeypatch.setattr(standbys, "WAIT_S", 2.0)
    with opened_store(addresses[0]) as store:
        standby = await standby_of(store)
        assert standby.id == f"127.0.0.1:{second.port}"
        assert (standby.state, standby.waiting) == ("Synced", 0)
        assert standby.version.startswith("MariaDB 1")
        second.pause()
        silent = await standby_of(store)
        second.resume()
        assert silent == DatabaseNode(standby.id, DatabaseRole.STANDBY)


async def test_whoever_connects_to_a_node_that_has_lost_the_others_reads_nothing_that_has_passed(
    nodes: tuple[Galera, Galera],
) -> None:
    first, second = nodes
    name = first.create_database()
    first.execute(
        f"CREATE TABLE {name}.note (id INT PRIMARY KEY, value TEXT)",
        f"INSERT INTO {name}.note VALUES (1, 'old')",
    )
    url = second.url(name)
    await until(lambda: [read(url, kind) for kind in KINDS] == ["old"] * len(KINDS), within=30)
    first.execute("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
    await until(lambda: first.status("wsrep_cluster_size") == "1")
    await until(lambda: first.status("wsrep_ready") == "ON")
    first.execute(f"UPDATE {name}.note SET value = 'new'")
    assert second.status("wsrep_ready") == "ON", "it has heard of it too soon to see anything"

    found: list[str | Fault] = []
    readers = [
        threading.Thread(target=lambda kind=kind: found.append(read(url, kind))) for kind in KINDS
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert found == [Fault.AWAY] * len(KINDS)
