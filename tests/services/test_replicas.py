"""Replicas say that they are there; who falls silent is lost, who ends has ended."""

import asyncio
import re

import pytest
from sqlalchemy import event, update

from metadata_server.domain.replica import (
    LOST_US,
    SHOWN_US,
    SIGN_US,
    DatabaseNode,
    DatabaseRole,
    Replica,
    ReplicaState,
)
from metadata_server.services.past.trimming import Trimming
from metadata_server.services.replicas import Replicas, SignOfLife
from metadata_server.store.chores import TRIM, put_off
from metadata_server.store.database_nodes import standbys
from metadata_server.store.replicas import replica
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.services.watched import following


async def listed(store: Store) -> dict[str, tuple[Replica, ReplicaState]]:
    found = (await Replicas(store).list()).value
    return {each.sign.id: (each, each.state(found.now_us)) for each in found.replicas}


async def states(store: Store) -> dict[str, str]:
    return {id: state.value for id, (_, state) in (await listed(store)).items()}


async def until_states(store: Store, wanted: dict[str, str]) -> None:
    async with asyncio.timeout(10):
        while await states(store) != wanted:
            await asyncio.sleep(0.01)


async def age(store: Store, id: str, by_us: int) -> None:
    """Lets a last sign be older than it is."""

    def work(unit: UnitOfWork) -> None:
        unit.connection.execute(
            update(replica).where(replica.c.id == id).values(seen_us=replica.c.seen_us - by_us)
        )

    await store.transact(work)


async def test_a_replica_is_seen_from_its_start_to_its_end(store: Store) -> None:
    async with following(store) as here:
        sign = SignOfLife(store, here.tailer, id="mds-1", version="1.2.3")
        task = asyncio.create_task(sign.run(grpc_port=7400, http_port=7401))
        await until_states(store, {"mds-1": "SERVING"})
        found, _ = (await listed(store))["mds-1"]
        assert (found.sign.version, found.sign.grpc_port, found.sign.http_port) == (
            "1.2.3", 7400, 7401,
        )  # fmt: skip
        assert 0 <= found.seen_us - found.start_us < 60_000_000
        here.tailer.drain()
        await until_states(store, {"mds-1": "DRAINING"})
        task.cancel()
        await sign.end()
        assert await states(store) == {"mds-1": "ENDED"}
        again, _ = (await listed(store))["mds-1"]
        assert again.start_us == found.start_us


async def test_who_says_nothing_is_lost_and_after_a_day_forgotten(store: Store) -> None:
    async with following(store) as here:
        for id in ("ended", "silent", "well"):
            sign = SignOfLife(store, here.tailer, id=id, version="1")
            task = asyncio.create_task(sign.run(grpc_port=1, http_port=2))
            await until_states(store, (await states(store)) | {id: "SERVING"})
            task.cancel()
            if id == "ended":
                await sign.end()
        await age(store, "ended", LOST_US + 1)
        await age(store, "silent", LOST_US + 1)
        assert await states(store) == {"ended": "ENDED", "silent": "LOST", "well": "SERVING"}
        await age(store, "silent", SHOWN_US)
        assert "silent" not in await states(store)
        await store.transact(lambda unit: put_off(unit, TRIM, 0))
        await Trimming(store, kept_days={}, request_days=1).trim()
        await age(store, "silent", -SHOWN_US)
        assert await states(store) == {"ended": "ENDED", "well": "SERVING"}


async def test_signs_of_life_are_no_changes(store: Store) -> None:
    async with following(store) as here:
        before = await store.glance()
        sign = SignOfLife(store, here.tailer, id="mds-1", version="1")
        await sign.end()
        assert await store.glance() == before


def test_one_late_sign_is_no_loss() -> None:
    assert LOST_US > 2 * SIGN_US


async def test_the_database_is_told(store: Store) -> None:
    (node,) = (await Replicas(store).list()).value.nodes
    assert node.role is DatabaseRole.WRITER
    kind = "SQLite" if store.database.is_sqlite else "MariaDB"
    assert node.version.startswith(f"{kind} ")
    assert node.version.rpartition(" ")[2][0].isdigit()
    assert node.id


async def test_nothing_is_asked_that_mysql_refuses_to_be_asked(store: Store) -> None:
    """It has no word of Galera's, and fails where one is selected by name."""
    asked: list[str] = []
    event.listen(
        store.database.reading, "before_cursor_execute", lambda *said: asked.append(said[2])
    )
    await Replicas(store).list()
    selected = {each for said in asked for each in re.findall(r"@@(\w+)", said)}
    assert selected <= {"hostname", "version", "port"}


@pytest.mark.parametrize(
    ("addresses", "port", "others"),
    [
        ("10.0.0.1:3306,10.0.0.2:3306,10.0.0.3:3306", 3306, ["10.0.0.2:3306", "10.0.0.3:3306"]),
        ("127.0.0.1:4001,127.0.0.1:4002,127.0.0.1:4003", 4002, ["127.0.0.1:4001", "127.0.0.1:4003"]),
        ("", 3306, []),
        ("AUTO", 3306, []),
    ],
)  # fmt: skip
def test_the_other_members_of_a_cluster_stand_by(
    addresses: str, port: int, others: list[str]
) -> None:
    assert standbys(addresses, port) == [
        DatabaseNode(each, DatabaseRole.STANDBY) for each in others
    ]


def test_the_node_that_answers_does_not_stand_by_wherever_it_is_named() -> None:
    addresses = "10.0.0.1:3306,10.0.0.2:3306,10.0.0.3:3306"
    found = [each.id for each in standbys(addresses, 3306, "10.0.0.2")]
    assert found == ["10.0.0.1:3306", "10.0.0.3:3306"]
