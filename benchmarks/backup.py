"""Backup: what it takes to write, read and restore the backup of 100,000 units that run, from each
kind of database to the other; processor time, and the most memory of a process.

Each is a process of its own, as people start it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from benchmarks.large_facility import UNITS, fill
from benchmarks.stage import Stage
from benchmarks.table import print_table
from tests.stages.opened_store import opened_store

MDS = Path(sys.executable).with_name("mds")


async def backup(stage: Stage) -> None:
    """Prints a row for each command."""
    first = f"sqlite:///{stage.folder / 'backup.db'}"
    between = stage.mariadb.url(stage.mariadb.create_database())
    one, two = (str(stage.folder / name) for name in ("one.mdsbackup", "two.mdsbackup"))
    with opened_store(first) as store:
        await asyncio.to_thread(fill, store)
    rows = [
        measured("backup, SQLite", first, "backup", one),
        measured("verify", first, "backup", "--verify", one),
        measured("restore into MariaDB", between, "restore", one),
        measured("backup, MariaDB", between, "backup", two),
        measured("restore into SQLite", f"sqlite:///{stage.folder / 'back.db'}", "restore", two),
    ]
    size_mb = size(one) / 1e6
    print_table(
        f"Backup of {UNITS:,} units: {size_mb:.0f} MB",
        ["", "s", "processor s", "peak MB"],
        rows,
    )


def measured(name: str, database: str, *arguments: str) -> tuple[object, ...]:
    """Runs a command to its end: by the clock, processor time, peak of memory."""
    environment = {**os.environ, "MDS_DATABASE_URL": database}
    begin = time.monotonic()
    pid = os.posix_spawn(MDS, [str(MDS), *arguments], environment)
    _, status, used = os.wait4(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, name
    return name, time.monotonic() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def size(path: str) -> int:
    return Path(path).stat().st_size
