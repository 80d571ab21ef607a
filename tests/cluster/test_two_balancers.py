"""Two load balancers stand for each other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mds.v1.kind_pb2 import Kind
from mds.v1.variable_pb2 import Variable

from control_units.client import Client
from tests.conftest import StartReplica
from tests.stages.balancer import Balancer, what_is_missing
from tests.stages.requirements import needs


@pytest.fixture
async def balancers(
    start_replica: StartReplica, sqlite_database: str, tmp_path: Path
) -> AsyncIterator[dict[str, Balancer]]:
    """By their addresses; both before the same replica."""
    needs(what_is_missing())
    replica = await start_replica(sqlite_database)
    made = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        made.append(Balancer([replica], folder))
        await made[-1].start()
    yield {each.address: each for each in made}
    for each in made:
        each.program.clear()


async def test_who_knows_both_goes_on_when_either_is_lost_and_misses_nothing(
    balancers: dict[str, Balancer],
) -> None:
    names: list[str] = []
    async with (
        Client(list(balancers)) as client,
        client.changes(Kind.KIND_VARIABLE) as changes,
        asyncio.timeout(30),
    ):

        async def written_and_told(id: str) -> None:
            await client.variables.create(Variable(name=f"variables/{id}", value="1"))
            async for word in changes:
                names.extend(event.name for event in word.events)
                if word.events:
                    return

        await anext(changes)
        await written_and_told("A")
        for id in ("B", "C"):
            lost = balancers[client.address]
            lost.program.kill()
            await written_and_told(id)
            assert client.address != lost.address
            await lost.start()
    assert names == ["variables/A", "variables/B", "variables/C"]
