"""Ground on which anything may be killed: replicas on one MariaDB, an agent, and the unit servers
that it launches. All of them are processes of their own."""

import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil
from mds.v1.agent_pb2 import Agent
from mds.v1.bundle_pb2 import ON_CONFLICT_REPLACE, BundleHeader, BundleItem
from mds.v1.control_unit_pb2 import (
    ControlUnit,
    ControlUnitStatus,
    ListControlUnitsRequest,
    ListControlUnitStatusesRequest,
)
from mds.v1.unit_server_pb2 import Launch, UnitServer

from tests.operations import power_supplies
from tests.operations.section import Section
from tests.scenarios.plans import apply
from tests.stages.mariadb import MariaDB
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

AGENT = "host-1"
LEASES = {"MDS_LEASE_S": "5", "MDS_HEARTBEAT_S": "1"}
ROOT = Path(__file__).resolve().parents[2]


class Note(NamedTuple):
    """What was done to a unit, and when, in s of the clock that all processes share."""

    time: float
    process: int
    id: str
    what: str


class Ground:
    """One agent and its unit servers, which know all replicas of a MariaDB."""

    def __init__(self, mariadb: MariaDB, replicas: Mapping[str, Replica], folder: Path) -> None:
        self.mariadb = mariadb
        self.replicas = replicas
        self._folder = folder
        addresses = ",".join(each.address for each in replicas.values())
        self.section = Section(addresses, folder)
        self.fail()
        self.agent = Program.mds(
            "agent", "run", AGENT, "--restarts", "1000", "--longest-pause", "1",
            log=folder / "agent.log",
            environment={
                "MDS_ADDRESS": addresses,
                "MDS_STATE_FOLDER": str(folder / "state"),
                "MDS_TEST_FOLDER": str(folder),
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "proto")]),
            },
        )  # fmt: skip

    def fail(self, faults: Mapping[str, str] | None = None) -> None:
        """From now on these units, by id, fail so when they start; all others are well."""
        path = self._folder / power_supplies.FAULTS
        path.with_suffix(".new").write_text(json.dumps(dict(faults or {})))
        path.with_suffix(".new").rename(path)

    async def set_up(self, *units: ControlUnit) -> None:
        """Declares units, and has the agent launch their unit servers."""
        await apply(
            self.section.client, [BundleItem(agent=Agent(name=f"agents/{AGENT}"))], BundleHeader()
        )
        await self.section.declare(*units)
        command = shlex.join([sys.executable, power_supplies.__file__, "{unit_server}"])
        launch = Launch(agent=f"agents/{AGENT}", command=command, auto_start=True, keep_alive=True)
        servers = sorted({each.unit_server for each in units})
        items = [BundleItem(unit_server=UnitServer(name=each, launch=launch)) for each in servers]
        told = await apply(
            self.section.client, items, BundleHeader(on_conflict=ON_CONFLICT_REPLACE)
        )
        assert told.summary.applied, told.problems
        self.agent.start()
        await until(self._is_hosted, within=40, what="all unit servers at work")

    async def _is_hosted(self) -> bool:
        return all(each.session for each in (await self.reported()).values())

    async def reported(self) -> dict[str, ControlUnitStatus]:
        """What the units say, by id."""
        listed = await self.section.client.control_units.ListControlUnitStatuses(
            ListControlUnitStatusesRequest(id_prefix="LAB/", page_size=1000)
        )
        return {each.control_unit.partition("/")[2]: each for each in listed.control_unit_statuses}

    async def declared(self) -> dict[str, ControlUnit]:
        """The units, by id."""
        listed = await self.section.client.control_units.ListControlUnits(
            ListControlUnitsRequest(id_prefix="LAB/", page_size=1000)
        )
        return {each.name.partition("/")[2]: each for each in listed.control_units}

    def notes(self) -> list[Note]:
        """What has been done to units so far."""
        path = self._folder / power_supplies.JOURNAL
        lines = path.read_text().splitlines() if path.exists() else []
        words = map(str.split, lines)
        return [Note(float(time), int(process), id, what) for time, process, id, what in words]

    def pids(self) -> dict[str, int]:
        """The processes of unit servers that run, by id."""
        found = {}
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            with contextlib.suppress(psutil.Error):  # it has ended meanwhile
                if power_supplies.__file__ in words and self._is_ours(process):
                    found[words[-1]] = process.pid
        return found

    def _is_ours(self, process: psutil.Process) -> bool:
        return process.environ().get("MDS_TEST_FOLDER") == str(self._folder)

    def clear(self) -> None:
        """Ends everything but the database."""
        self.agent.clear()
        for pid in self.pids().values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        for replica in self.replicas.values():
            replica.program.clear()


@contextlib.asynccontextmanager
async def ground(mariadb: MariaDB, folder: Path, *, replicas: int = 3) -> AsyncIterator[Ground]:
    """A ground on an empty database."""
    database = mariadb.create_database()
    found = Ground(
        mariadb,
        {
            name: Replica(
                mariadb.url(database), folder, environment={**LEASES, "MDS_REPLICA": name}
            )
            for name in (f"replica-{number}" for number in range(1, replicas + 1))
        },
        folder,
    )
    try:
        await next(iter(found.replicas.values())).migrate()
        for each in found.replicas.values():
            each.program.start()
        await asyncio.gather(*(each.ready() for each in found.replicas.values()))
        yield found
    finally:
        found.clear()
        await found.section.client.close()
        mariadb.heal()
        mariadb.drop_database(database)
