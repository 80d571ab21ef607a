"""A change that is larger than a database takes in one statement, or a cluster in a transaction."""

import re
from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import pytest
from mds.v1.script_pb2 import ListScriptsRequest, Script

from control_units.client import Client, Invalid
from metadata_server.store.database_nodes import database_nodes
from tests.stages.galera import Galera
from tests.stages.layout import lay_out
from tests.stages.mariadb import MariaDB
from tests.stages.opened_store import opened_store
from tests.stages.replica import Replica

StartReplica = Callable[..., Awaitable[Replica]]
SCRIPTS, ROWS = 60, 100
"""A script that is new makes several rows: itself, its name, its history."""
LONG, BYTES = "x" * 100_000, 8 * 1024 * 1024


@pytest.fixture
def database(node: Galera) -> Iterator[str]:
    """On a node without limits, which the next test has again."""
    name = node.create_database()
    lay_out(node.url(name))
    yield node.url(name)
    node.execute("SET GLOBAL wsrep_max_ws_rows = DEFAULT", "SET GLOBAL wsrep_max_ws_size = DEFAULT")
    node.drop_database(name)


async def names(client: Client) -> list[str]:
    reply = await client.scripts.ListScripts(ListScriptsRequest(page_size=SCRIPTS))
    return [script.name for script in reply.scripts]


async def tries(replica: Replica) -> list[str]:
    """How often the database said so."""
    async with aiohttp.ClientSession() as http, http.get(f"{replica.http}/metrics") as reply:
        text = await reply.text()
    return re.findall(r'^mds_transactions_total{.*"CHANGE_TOO_LARGE"} (\S+)$', text, re.MULTILINE)


@pytest.mark.parametrize(
    ("limit", "content"),
    [(f"wsrep_max_ws_rows = {ROWS}", "short"), (f"wsrep_max_ws_size = {BYTES}", LONG)],
    ids=["rows", "bytes"],
)
async def test_it_is_refused_once_and_for_all_and_goes_in_parts(
    node: Galera, database: str, start_replica: StartReplica, limit: str, content: str
) -> None:
    replica = await start_replica(database)
    node.execute(f"SET GLOBAL {limit}")
    scripts = [Script(name=f"scripts/{n}", content=content) for n in range(SCRIPTS)]
    async with Client(replica.address) as client:
        with pytest.raises(Invalid, match=limit.split(maxsplit=1)[0]) as refused:
            await client.apply(scripts)
        assert refused.value.reason == "CHANGE_TOO_LARGE"
        assert await tries(replica) == ["1.0"]
        assert not await names(client)
        for first in range(0, SCRIPTS, 10):
            await client.apply(scripts[first : first + 10])
        assert len(await names(client)) == SCRIPTS


def test_a_node_of_a_cluster_tells_how_far_it_is_behind(database: str) -> None:
    """It stands here as such a node runs already."""
    with opened_store(database) as store:
        (own,) = store.read_now(database_nodes).value
    assert (own.state, own.waiting, own.is_held_up) == ("Synced", 0, False)


@pytest.fixture
def low_packets(mariadb: MariaDB) -> Iterator[None]:
    """What connections are held to that are made meanwhile: 1 MB a statement."""
    mariadb.execute("SET GLOBAL max_allowed_packet = 1048576")
    yield
    mariadb.execute("SET GLOBAL max_allowed_packet = DEFAULT")


@pytest.mark.usefixtures("low_packets")
async def test_a_statement_that_is_too_long_is_no_fault_of_the_database(
    mariadb_database: str, start_replica: StartReplica
) -> None:
    replica = await start_replica(mariadb_database)
    async with Client(replica.address) as client:
        with pytest.raises(Invalid, match="max_allowed_packet") as refused:
            await client.apply([Script(name="scripts/long", content=LONG * 30)])
        assert refused.value.reason == "CHANGE_TOO_LARGE"
        assert await tries(replica) == ["1.0"]
        await client.apply([Script(name="scripts/short", content=LONG)])
        assert await names(client) == ["scripts/short"]
