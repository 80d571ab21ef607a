"""Stages that all tests share, and what no test may do. See tests/stages."""

import asyncio
import gc
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.stages import galera
from tests.stages.layout import MariaDBLayout, SQLiteLayout
from tests.stages.leaks import descendants, leaked_tasks, left_processes
from tests.stages.loopback import Loopback
from tests.stages.mariadb import MariaDB, what_is_missing
from tests.stages.replica import Replica
from tests.stages.requirements import needs
from tests.stages.warm_mds import warm_mds

LOOPBACK = Loopback()
# Real exports of facilities, where the project stands beside them; never part of it.
CHAOS = Path(__file__).resolve().parents[2] / "shared" / "data" / "chaos"

StartReplica = Callable[..., Awaitable[Replica]]


def pytest_configure() -> None:
    LOOPBACK.watch()
    # Else the first look for "the loop of this thread" makes one that nobody closes.
    asyncio.set_event_loop(None)
    # Where CI is set, hypothesis has a profile for that.
    name = "ci" if "CI" in os.environ else "default"
    settings.register_profile(
        "shared",
        settings.get_profile(name),
        # Half of what is usual, for there are many such tests.
        max_examples=50,
        # How long an example takes says nothing of the code on a machine that is shared.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("shared")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Nearly all that comes while tests are found stays: to look for garbage was a fifth of it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """What is loaded by now stays: to look through all of it for garbage, again and again, is a
    sixteenth of the processor time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaks a task or a process, or that talks beyond loopback."""
    if isinstance(request.node, pytest.Function) and inspect.iscoroutinefunction(request.node.obj):
        # What shares the session's loop shares its servers too: their tasks come and go.
        marker = request.node.get_closest_marker("asyncio")
        if marker is None or marker.kwargs.get("loop_scope") != "session":
            request.getfixturevalue("leaks_no_task")
    before = descendants()
    yield
    strayed, LOOPBACK.strayed = LOOPBACK.strayed, []
    assert not strayed, "talked beyond loopback"
    assert not left_processes(before), "left processes behind"


@pytest.fixture
def loopback() -> Loopback:
    return LOOPBACK


@pytest.fixture
async def leaks_no_task() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert not await leaked_tasks(before), "left tasks behind"


@pytest.fixture(scope="session")
def warm_bin() -> Iterator[Path]:
    """Folder for the head of a PATH: an `mds` for scripts of shells, with its modules loaded."""
    with warm_mds() as folder:
        yield folder


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    needs(what_is_missing())
    server = MariaDB(tmp_path_factory.mktemp("mariadb"))
    try:
        server.install()
        yield server
    finally:
        server.clear()


@pytest.fixture
def mariadb(mariadb_server: MariaDB) -> Iterator[MariaDB]:
    """The MariaDB of the session. A test may kill, pause and restart it: the next finds it well."""
    mariadb_server.heal()
    yield mariadb_server
    mariadb_server.heal()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[galera.Galera]:
    """A database node that is a cluster by itself."""
    needs(galera.what_is_missing())
    alone = galera.Galera(tmp_path_factory.mktemp("galera"))
    try:
        alone.install()
        yield alone
    finally:
        alone.clear()


@pytest.fixture(scope="session")
def sqlite_layout(tmp_path_factory: pytest.TempPathFactory) -> SQLiteLayout:
    return SQLiteLayout(tmp_path_factory.mktemp("layout"))


@pytest.fixture(scope="session")
def mariadb_layout(mariadb_server: MariaDB) -> MariaDBLayout:
    return MariaDBLayout(mariadb_server)


@pytest.fixture
def sqlite_database(tmp_path: Path, sqlite_layout: SQLiteLayout) -> str:
    """URL of an SQLite file with the schema and nothing else."""
    file = tmp_path / "mds.sqlite"
    sqlite_layout.copy_to(file)
    return f"sqlite:///{file}"


@pytest.fixture
def mariadb_database(mariadb: MariaDB, mariadb_layout: MariaDBLayout) -> Iterator[str]:
    """URL of a database with the schema and nothing else."""
    name = mariadb_layout.take()
    yield mariadb.url(name)
    mariadb.heal()
    mariadb_layout.give_back(name)


@pytest.fixture
def empty_sqlite_database(tmp_path: Path) -> str:
    """URL of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'mds.sqlite'}"


@pytest.fixture
def empty_mariadb_database(mariadb: MariaDB) -> Iterator[str]:
    """URL of a database without tables."""
    name = mariadb.create_database()
    yield mariadb.url(name)
    mariadb.heal()
    mariadb.drop_database(name)


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest) -> str:
    """URL of a database with the schema and nothing else; the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_database")
    return url


@pytest.fixture(params=["sqlite", "mariadb"])
def empty_database(request: pytest.FixtureRequest) -> str:
    """URL of a database without tables; the test runs once on each kind."""
    url: str = request.getfixturevalue(f"empty_{request.param}_database")
    return url


@pytest.fixture
async def start_replica(tmp_path: Path) -> AsyncIterator[StartReplica]:
    """Starts a ready replica on a database that has its schema, or is an SQLite file to be."""
    replicas: list[Replica] = []

    async def start(database: str, *, environment: Mapping[str, str] | None = None) -> Replica:
        replica = Replica(database, tmp_path, environment=environment)
        replicas.append(replica)
        await replica.start()
        return replica

    yield start
    for replica in replicas:
        replica.program.clear()


@pytest.fixture
async def replica(start_replica: StartReplica, database: str) -> Replica:
    """One ready replica; the test runs once on each kind of database."""
    return await start_replica(database)


@pytest.fixture(scope="module")
def lasting_replica(
    tmp_path_factory: pytest.TempPathFactory, sqlite_layout: SQLiteLayout
) -> Iterator[Replica]:
    """One ready replica for all tests of a module, which keep out of one another's way."""
    folder = tmp_path_factory.mktemp("lasting")
    sqlite_layout.copy_to(folder / "mds.sqlite")
    replica = Replica(f"sqlite:///{folder / 'mds.sqlite'}", folder)
    try:
        asyncio.run(replica.start())
        yield replica
    finally:
        replica.program.clear()


@pytest.fixture(scope="session")
def chaos_files() -> Path:
    """Folder of real exports of facilities."""
    if not CHAOS.is_dir():
        pytest.skip("no real facility files in ../shared/data/chaos beside this project")
    return CHAOS
