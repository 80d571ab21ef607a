"""A node of a cluster that has lost the others, or stood still meanwhile, goes on as if nothing had
happened until it hears of that. Whoever connects to it is told nothing that has passed."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from metadata_server.store.database import Fault, fault_of, open_database
from tests.stages.galera import Galera, what_is_missing
from tests.stages.requirements import needs
from tests.stages.waiting import until

LATE = "evs.inactive_check_period=PT1S;evs.suspect_timeout=PT3S;evs.inactive_timeout=PT6S"
"""After so long it hears of it; the others are sooner."""
KINDS = ("reading", "writing", "glancing")


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Galera, Galera]]:
    """Two, of which the first goes on without the second."""
    needs(what_is_missing(join=True))
    with ExitStack() as ending:
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
        first = Galera(tmp_path / "first")
        ending.callback(first.clear)
        first.install()
        first.execute("SET GLOBAL wsrep_provider_options = 'pc.weight=3'")
        second = Galera(tmp_path / "second", founder=first, timers=LATE)
        ending.callback(second.clear)
        second.join()
        yield first, second


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
    assert [read(url, kind) for kind in KINDS] == ["old"] * len(KINDS)
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
