"""What a benchmark stands on: one MariaDB, one replica, hollow clients in another process."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from control_units.client import Client
from tests.stages.mariadb import MariaDB, what_is_missing
from tests.stages.replica import Replica

PATIENCE_S = 180


class Stage:
    """A MariaDB of its own, durable, in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mariadb = MariaDB(folder, on_disk=True)

    @asynccontextmanager
    async def replica(self, **environment: str) -> AsyncIterator[Replica]:
        """A ready replica on an empty database."""
        name = self.mariadb.create_database()
        quiet = {"MDS_LOG_LEVEL": "warning", **environment}
        replica = Replica(self.mariadb.url(name), self.folder, environment=quiet)
        try:
            await replica.migrate()
            await replica.start()
            yield replica
        finally:
            replica.program.clear()
            self.mariadb.drop_database(name)

    def statements(self) -> int:
        """Statements that the database has been asked so far."""
        ((_, count),) = self.mariadb.execute("SHOW GLOBAL STATUS LIKE 'Questions'")
        return int(str(count))

    def cpu_s(self) -> float:
        """What the database has used of one core so far."""
        times = psutil.Process(self.mariadb.pid).cpu_times()
        return float(times.user + times.system)

    async def statements_by_table(self, tables: Collection[str], seconds: float) -> float:
        """Statements a second of transactions that touch one of some tables, with the beginning
        and the end of each."""
        self.mariadb.execute(
            "SET GLOBAL log_output = 'TABLE'",
            "TRUNCATE mysql.general_log",
            "SET GLOBAL general_log = ON",
        )
        await asyncio.sleep(seconds)
        rows = self.mariadb.execute(
            "SET GLOBAL general_log = OFF",
            "SELECT thread_id, argument FROM mysql.general_log "
            "WHERE command_type = 'Query' ORDER BY event_time",
        )
        count = 0
        under_way: dict[object, list[str]] = {}
        for thread, argument in rows:
            text = argument.decode() if isinstance(argument, bytes) else str(argument)
            statements = under_way.setdefault(thread, [])
            statements.append(text)
            if text == "ROLLBACK":  # what the pool says when it takes a connection back
                named = any(f" {table}" in each for each in statements for table in tables)
                count += len(statements) if named else 0
                del under_way[thread]
        return count / seconds


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    missing = what_is_missing()
    if missing:
        sys.exit(f"Benchmarks run on MariaDB: {missing}")
    with TemporaryDirectory() as folder:
        opened = Stage(Path(folder))
        opened.mariadb.install()
        try:
            yield opened
        finally:
            opened.mariadb.clear()


class Hollow:
    """The process of hollow unit servers, heard and ended through its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def heard(self, event: str) -> float:
        """The monotonic time at which it says that something has happened."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self._process.stdout.readline():
                told: dict[str, Any] = json.loads(line)
                if told["event"] == event:
                    return float(told["at"])
        raise RuntimeError(f"The hollow clients ended before they said {event!r}.")

    async def end(self) -> None:
        """Lets all unit servers say good-bye."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()
        await asyncio.wait_for(self._process.wait(), PATIENCE_S)


@asynccontextmanager
async def hollow(replica: Replica, servers: int, incarnation: str) -> AsyncIterator[Hollow]:
    """Hollow unit servers that begin to register at once."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks.hollow", "--address", replica.address),
        *("--servers", str(servers), "--incarnation", incarnation),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Hollow(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def client_of(replica: Replica) -> AsyncIterator[Client]:
    async with Client(replica.address, principal="bench") as client:
        yield client
