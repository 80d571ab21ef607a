"""Overview: the time to count 10,000 units hosted by 625 unit servers, on both databases."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from benchmarks.stage import Stage
from benchmarks.table import percentile, print_table
from metadata_server.domain.change import Caller, Principal
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.overview import Overview
from metadata_server.domain.life.session import Session
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind
from metadata_server.store.life.overview import beats, read_overview
from metadata_server.store.life.sessions import begin_session
from metadata_server.store.life.statuses import save_statuses
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.stages.opened_store import opened_store

UNITS, SERVERS, ZONES, TIMES = 10_000, 625, 9, 50
GOAL_MS = 50
CALLER = Caller(principal=Principal("bench"), method="Benchmarks.Overview")
SERVER_OF = {f"Z{n % SERVERS % ZONES}/U{n:05}": f"S{n % SERVERS:03}" for n in range(UNITS)}


async def overview(stage: Stage) -> None:
    """Prints the time of one computation, which all viewers of a revision share."""
    databases = {
        "SQLite": f"sqlite:///{stage.folder / 'overview.db'}",
        "MariaDB": stage.mariadb.url(stage.mariadb.create_database()),
    }
    rows: list[tuple[object, ...]] = []
    for name, url in databases.items():
        with opened_store(url) as store:
            store.transact_now(declare, caller=CALLER)
            store.transact_now(live)
            counting, pulse = timed(store, count), timed(store, beats)
            assert store.read_now(count).value.tally.units == UNITS
        rows.append((name, *counting, f"< {GOAL_MS}", *pulse))
    print_table(
        f"Overview: {UNITS:,} units hosted by {SERVERS} unit servers, {TIMES} readings, ms",
        ["", "median", "p99", "goal", "a pulse, median", "p99"],
        rows,
    )


def count(unit: UnitOfWork) -> Overview:
    return read_overview(unit, abnormal_limit=200)


def timed(store: Store, work: Callable[[UnitOfWork], object]) -> tuple[float, float]:
    """Median and 99th percentile of a reading, ms."""
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        store.read_now(work)
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken), percentile(taken, 99)


def declare(unit: UnitOfWork) -> None:
    unit.save(Template(id="T", version=1))
    for server in sorted(set(SERVER_OF.values())):
        unit.save(UnitServer(id=server))
    for name, server in SERVER_OF.items():
        unit.save(
            ControlUnit(
                id=name,
                template="T",
                template_version=1,
                unit_server=server,
                desired_state=State.RUNNING,
            )
        )


def live(unit: UnitOfWork) -> None:
    """Every unit server is in session; one unit in 500 errs."""
    for server, key in unit.keys.find(Kind.UNIT_SERVER, SERVER_OF.values()).items():
        session = Session(id=f"run-{server}", unit_server=server, unit_server_key=key)
        begin_session(unit, session, lease_us=20_000_000)
    keys = unit.keys.find(Kind.CONTROL_UNIT, SERVER_OF)
    save_statuses(
        unit,
        [
            ControlUnitStatus(
                id=name,
                key=keys[name],
                unit_server=server,
                session=f"run-{server}",
                sequence=1,
                state=State.RUNNING if number % 500 else State.FATAL_ERROR,
                state_time_us=unit.now_us,
            )
            for number, (name, server) in enumerate(SERVER_OF.items())
        ],
    )
