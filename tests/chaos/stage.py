"""The cluster of docker-compose.yml, for many rounds of faults."""

import asyncio
import csv
import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pymysql

from deploy.processes.cluster import Cluster
from deploy.processes.images import find, what_is_missing
from deploy.processes.topology import read_topology
from tests.chaos.clock import Clock
from tests.chaos.history import Recorder
from tests.chaos.small_disks import SmallDisk, remove_what_was_left, unmount_below

DATABASES = ("galera-1", "galera-2", "galera-3")
WRITER, STAND_BY = DATABASES[:2]
REPLICAS = ("metadata-server-1", "metadata-server-2", "metadata-server-3")
WEB_UIS = ("web-1", "web-2")
BALANCER = "haproxy"
# Shorter than they come: some are to run out while a fault is in.
LEASES = {"MDS_LEASE_S": "9", "MDS_HEARTBEAT_S": "3"}
OWN_DATABASE = "chaos"
"""Beside that of the product, for what faults write themselves."""
# Loads bring what they need of these.
_LEFT_OUT = {"prometheus", "grafana", "facility", "linac-hall", "ring-hall"}
PLACE = Path(tempfile.gettempdir()) / "mds-chaos"
WELL_WITHIN_S = 90.0
KEPT = Path(__file__).parents[2] / ".cache" / "chaos" / "violations"
KEPT_BYTES = 20_000_000
"""Of each log."""
LEAST_FREE_MB = 500
"""On a disk, for a round: nobody ever deletes anything."""


@dataclasses.dataclass
class Observed:
    """What a fault saw by itself while it was in.

    Attributes:
        figures: by what they are of, s.
        violations: what must never be, in words.
    """

    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    violations: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class RoundStage:
    """What the load of one round stands on; see `loads.Stage`."""

    address: str
    replicas: Sequence[str]
    recorder: Recorder
    folder: Path
    units: int


class ClusterStage:
    """
    Attributes:
        folder: of data, logs and rounds; gone when it is down.
        disk: by service, those that can be filled.
        clock: of one replica.
        observed: in this round.
        is_sick: no further round shall be on it.
    """

    def __init__(self) -> None:
        self.folder = PLACE / str(os.getpid())
        self.observed = Observed()
        self.is_sick = False
        self.clock = Clock(REPLICAS[2], self.folder / "clock")
        services = [
            dataclasses.replace(each, environment={**each.environment, **LEASES})
            if each.name in REPLICAS
            else each
            for each in read_topology()
            if each.name not in _LEFT_OUT
        ]
        self.cluster = Cluster(services, self.folder)
        # A database is 550 MB when it is empty; 10,000 units and their statuses are some 80.
        self.disk = {
            WRITER: SmallDisk(
                Path(self.cluster[WRITER].container.environment["GALERA_DATA"]), size_mb=3_000
            ),
            REPLICAS[1]: SmallDisk(self.folder / "disk", size_mb=1_000),
        }

    @property
    def is_nearly_full(self) -> bool:
        """Rounds have left too little for another one."""
        return any(each.free_mb < LEAST_FREE_MB for each in self.disk.values())

    @property
    def address(self) -> str:
        return f"{self.cluster.address(BALANCER)}:7400"

    @property
    def page(self) -> str:
        return f"http://{self.cluster.address(BALANCER)}:7402"

    def of_round(self, name: str, units: int) -> RoundStage:
        folder = self.folder / "rounds" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.observed = Observed()
        return RoundStage(
            address=self.address,
            replicas=[f"{self.cluster.address(each)}:7400" for each in REPLICAS],
            recorder=Recorder(folder / "probes.jsonl"),
            folder=folder,
            units=units,
        )

    async def up(self) -> None:
        """
        Raises:
            Failed: another cluster runs, or one of these services does not.
        """
        remove_what_was_left(PLACE)
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)
        self.clock.set(0)
        for each in self.disk.values():
            each.mount()
        self.disk[REPLICAS[1]].lend(self.cluster[REPLICAS[1]].container.log)
        await self.cluster.up()
        await self.sql(
            WRITER,
            f"CREATE DATABASE IF NOT EXISTS {OWN_DATABASE}; "
            f"GRANT ALL ON `{OWN_DATABASE}%`.* TO 'mds'@'%'; "
            f"CREATE TABLE {OWN_DATABASE}.beat (id INT PRIMARY KEY, value BIGINT NOT NULL); "
            f"INSERT INTO {OWN_DATABASE}.beat VALUES (1, 0);",
        )
        await self.until_well()

    async def down(self) -> None:
        await self.cluster.down()
        self.clock.clear()
        unmount_below(self.folder)
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    def keep(self, ground: RoundStage, name: str) -> None:
        """What a round with violations has left, for whoever looks into it: what clients wrote
        down, and the ends of all logs."""
        place = KEPT / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{name}"
        shutil.copytree(ground.folder, place / "clients")
        for log in self.folder.glob("*.log"):
            with log.open("rb") as file:
                file.seek(max(0, log.stat().st_size - KEPT_BYTES))
                (place / log.name).write_bytes(file.read())

    async def lend_clock(self, *, is_lent: bool) -> None:
        """One replica runs with a clock that can be set, or as the others do: reading that clock
        costs it three times the processor time.

        Raises:
            TimeoutError: it does not come back.
        """
        process = self.cluster[self.clock.service]
        container, lent = process.container, self.clock.environment
        environment = container.service.environment
        plain = {key: value for key, value in environment.items() if key not in lent}
        wanted = {**plain, **lent} if is_lent else plain
        if wanted != environment:
            await process.stop()
            self.clock.clear()
            container.service = dataclasses.replace(container.service, environment=wanted)
            await process.start()
            await self.until_well()

    async def until_well(self, *, within_s: float = WELL_WITHIN_S) -> None:
        """Returns when every service serves, and the balancer sees all of them.

        Raises:
            TimeoutError: they do not; its message says which.
        """
        sick = ["everything"]
        try:
            async with asyncio.timeout(within_s):
                while sick:
                    sick = await self._sick()
                    await asyncio.sleep(0.25 if sick else 0)
        except TimeoutError:
            raise TimeoutError(f"After {within_s:.0f} s not well: {', '.join(sick)}") from None

    async def sql(self, node: str, statements: str) -> str:
        """What a database node says to its own root.

        Raises:
            RuntimeError: it refuses.
        """
        run = self.cluster[node].container.environment["GALERA_RUN"]
        asked = await asyncio.create_subprocess_exec(
            find("mariadb") or "mariadb", f"--socket={run}/mariadbd.sock", "--batch",
            "--skip-column-names", f"--execute={statements}",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await asked.communicate()
        if asked.returncode:
            raise RuntimeError(f"{node}: {told.decode()}")
        return told.decode()

    def connect(
        self, node: str, *, within_s: float
    ) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """To one database node, past the balancer."""
        wait = max(1, round(within_s))
        password = self.cluster[node].container.environment["MDS_DATABASE_PASSWORD"]
        return pymysql.connect(
            host=self.cluster.address(node), user="mds", password=password,
            database=OWN_DATABASE, connect_timeout=wait, read_timeout=wait, write_timeout=wait,
            autocommit=True, ssl_disabled=True,
        )  # fmt: skip

    async def _sick(self) -> list[str]:
        names = [*DATABASES, BALANCER, *REPLICAS, *WEB_UIS]
        health = await asyncio.gather(*(self.cluster[each].is_healthy() for each in names))
        sick = [name for name, is_healthy in zip(names, health, strict=True) if not is_healthy]
        if sick:
            return sick
        size = await self.sql(WRITER, "SHOW STATUS LIKE 'wsrep_cluster_size'")
        if size.split()[-1:] != ["3"]:
            return [f"a database cluster of {size.strip()}"]
        return await self._down_for_the_balancer()

    async def _down_for_the_balancer(self) -> list[str]:
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
                url = f"http://{self.cluster.address(BALANCER)}:8404/;csv"
                async with session.get(url) as answer:
                    text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return [f"the balancer: {error!r}"]
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return [
            f"{row['svname']} of {row['pxname']} is {row['status']}"
            for row in rows
            if row["svname"] not in ("FRONTEND", "BACKEND")
            and not row["status"].startswith(("UP", "no check"))
        ]


def what_the_cluster_lacks() -> str:
    """What keeps a cluster from running here; empty: nothing."""
    return what_is_missing([each for each in read_topology() if each.name not in _LEFT_OUT])
