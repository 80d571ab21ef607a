"""Clients of one real replica."""

from collections.abc import AsyncIterator

import pytest

from control_units.client import Client
from tests.conftest import StartReplica
from tests.stages.replica import Replica


@pytest.fixture
async def server(start_replica: StartReplica, sqlite_database: str) -> Replica:
    """A replica on a file: what a client sees is the same on each kind of database."""
    return await start_replica(sqlite_database)


@pytest.fixture
async def client(server: Replica) -> AsyncIterator[Client]:
    async with Client(server.address) as client:
        yield client
