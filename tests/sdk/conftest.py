"""Laboratories on real metadata servers, shared by tests or their own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from control_units.hosting import Hosting
from tests.sdk.devices import CLASSES, Device, Stuck, StuckInItsRound
from tests.sdk.laboratory import LONG_LEASE, SHORT_LEASE, Laboratory, laboratory
from tests.stages.replica import Replica

StartReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture(scope="module")
def shared_replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """One replica for all tests that leave it alone."""
    folder = tmp_path_factory.mktemp("shared")
    replica = Replica(f"sqlite:///{folder}/mds.sqlite", folder, environment=LONG_LEASE)
    replica.program.start()
    yield replica
    replica.program.clear()


@pytest.fixture
async def lab(shared_replica: Replica, tmp_path: Path) -> AsyncIterator[Laboratory]:
    await shared_replica.ready()
    async with laboratory(shared_replica.address, tmp_path / "state") as found:
        yield found


@pytest.fixture
async def own_replica(start_replica: StartReplica, sqlite_database: str) -> Replica:
    """A replica that the test may hurt."""
    return await start_replica(sqlite_database, environment=LONG_LEASE)


@pytest.fixture
async def own_lab(own_replica: Replica, tmp_path: Path) -> AsyncIterator[Laboratory]:
    async with laboratory(own_replica.address, tmp_path / "state") as found:
        yield found


@pytest.fixture
async def hasty_replica(start_replica: StartReplica, sqlite_database: str) -> Replica:
    """A replica that soon gives a silent unit server up."""
    return await start_replica(sqlite_database, environment=SHORT_LEASE)


@pytest.fixture
async def hasty_lab(hasty_replica: Replica, tmp_path: Path) -> AsyncIterator[Laboratory]:
    async with laboratory(hasty_replica.address, tmp_path / "state") as found:
        yield found


@pytest.fixture(autouse=True)
def fresh_scripts() -> None:
    Device.script.clear()
    Device.calls.clear()
    Stuck.release = StuckInItsRound.release = threading.Event()


@pytest.fixture
async def hosting() -> AsyncIterator[Hosting]:
    async with asyncio.TaskGroup() as tasks:
        found = Hosting(CLASSES, spawn=tasks.create_task)
        yield found
        Stuck.release.set()
        await found.leave_all()
