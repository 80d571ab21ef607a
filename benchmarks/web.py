"""The web page as it runs in service: `mds web` in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from aiohttp import ClientError, ClientSession

from benchmarks.large_facility import beating, fill, is_seen
from benchmarks.stage import Stage
from metadata_server.services.life.conditions import LOOK_OVER_US
from tests.stages.opened_store import opened_store
from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

START_S = 60.0
LOOK_OVER_S, IDLE_S = 300.0, 3.0
QUIET = {"MDS_LOG_LEVEL": "warning"}
DATABASES = ("SQLite", "MariaDB")
Figures = dict[str, float]
"""Of the calls that a replica answered, by method: `mds_calls_total`, `mds_call_seconds_sum`."""


@dataclass(frozen=True)
class Web:
    """One page on one replica."""

    replica: Replica
    program: Program
    url: str

    @property
    def cpu_s(self) -> tuple[float, float]:
        """What the replica and the page have used of one core so far."""
        return cpu_s(self.replica.program.pid), cpu_s(self.program.pid)

    @property
    def megabytes(self) -> float:
        return float(psutil.Process(self.program.pid).memory_info().rss / 1024**2)

    async def calls(self, http: ClientSession) -> tuple[float, float]:
        """How many calls the replica has answered, and the time of them all in s; without those
        that the page makes for all browsers together."""
        async with http.get(f"{self.replica.http}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        count = seconds = 0.0
        for line in lines:
            if line.startswith("mds_calls_total{") and "Overview." not in line:
                count += float(line.rpartition(" ")[2])
            if line.startswith("mds_call_seconds_sum{") and "Overview." not in line:
                seconds += float(line.rpartition(" ")[2])
        return count, seconds


def cpu_s(process: int) -> float:
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def large_facility(stage: Stage, database: str) -> AsyncIterator[Replica]:
    """A replica on a database with 100,000 units."""
    name = stage.mariadb.create_database() if database == "MariaDB" else ""
    path = stage.folder / "large.db"
    url = stage.mariadb.url(name) if name else f"sqlite:///{path}"
    with opened_store(url) as store:
        fill(store)
        replica = Replica(url, stage.folder, environment=QUIET)
        try:
            async with beating(store):
                await replica.start()
                await is_seen(store)
                await all_are_looked_over(replica)
                yield replica
        finally:
            replica.program.clear()
    if name:
        stage.mariadb.drop_database(name)
    else:
        path.unlink()


async def all_are_looked_over(replica: Replica) -> None:
    """Waits until the replica has looked at all units once, which it does some time after its
    start: from then on it looks at those that change."""
    await asyncio.sleep(LOOK_OVER_US / 1_000_000)

    async def is_idle() -> bool:
        before = cpu_s(replica.program.pid)
        await asyncio.sleep(IDLE_S)
        return cpu_s(replica.program.pid) - before < IDLE_S / 10

    await until(is_idle, within=LOOK_OVER_S, what="a replica that has looked at all units")


@asynccontextmanager
async def web(replica: Replica, folder: Path) -> AsyncIterator[Web]:
    """A page that is live."""
    port = free_port()
    settings = {"MDS_ADDRESS": replica.address, "MDS_WEB_PORT": str(port), **QUIET}
    program = Program.mds("web", log=folder / f"web-{port}.log", environment=settings)
    url = f"http://127.0.0.1:{port}"
    program.start()
    try:
        async with ClientSession(url) as http:

            async def is_live() -> bool:
                program.check_running()
                try:
                    async with http.get("/healthz/ready") as answer:
                        return answer.status == 200
                except ClientError:
                    return False

            await until(is_live, within=START_S, what=f"a live page at {url}")
        yield Web(replica, program, url)
    finally:
        program.clear()
