"""An earlier release of the whole, as it is kept here: its code, its protocol, its databases.

A folder for each, made by tests/releases/make.py:

code.tar.xz      the packages of server and client, and what they are installed as
protocol.binpb   the descriptors of its protocol
contents.json    which release it is, and how many rows each table has
sqlite.sql.xz, mariadb.sql.xz   databases that it has filled
"""

import json
import lzma
import os
import socket
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.stages.mariadb import MariaDB, find, name_in
from tests.stages.program import Program
from tests.stages.replica import Replica

FOLDER = Path(__file__).resolve().parent
CODE, PROTOCOL, CONTENTS = "code.tar.xz", "protocol.binpb", "contents.json"
SQLITE, MARIADB = "sqlite.sql.xz", "mariadb.sql.xz"
DISTRIBUTION = "control-system-metadata-server"
RUN = "from control_units.cli import main; main()"
DEAD_PROCESS = 2**22 + 1
"""Linux numbers processes up to 2**22: no process ever has this number."""


def number_of(folder: Path) -> tuple[int, ...]:
    return tuple(map(int, folder.name.split(".")))


def last_release() -> Path:
    """The folder of the newest release that is kept."""
    return max((path.parent for path in FOLDER.glob(f"*/{CONTENTS}")), key=number_of)


class Release:
    """The programs of one release, from its unpacked code.

    Args:
        code: where its code is, or will be.
    """

    def __init__(self, folder: Path, code: Path) -> None:
        self.folder = folder
        self.code = code

    def unpack(self) -> None:
        with tarfile.open(self.folder / CODE) as archive:
            archive.extractall(self.code, filter="data")

    @property
    def schema(self) -> str:
        """The step of the schema that it stands on."""
        found: str = json.loads((self.folder / CONTENTS).read_text())["schema"]
        return found

    def program(
        self, *arguments: str, log: Path, environment: Mapping[str, str] | None = None
    ) -> Program:
        """`mds …` of this release, in a process of its own."""
        # Its code comes before what is installed here, and nothing from the folder of the test.
        command = [sys.executable, "-P", "-c", RUN, *arguments]
        path = {"PYTHONPATH": str(self.code)}
        return Program(command, log=log, environment={**(environment or {}), **path})

    def replica(
        self, database: str, folder: Path, *, environment: Mapping[str, str] | None = None
    ) -> Replica:
        """A server of this release."""
        replica = Replica(database, folder, environment=environment)
        settings = replica.program.environment
        replica.program = self.program("serve", log=replica.program.log, environment=settings)
        replica.migration = self.program("migrate", log=replica.program.log, environment=settings)
        return replica

    def run(self, *arguments: str, environment: Mapping[str, str]) -> str:
        """Standard output of `mds …` of this release.

        Raises:
            AssertionError: it failed; with its words.
        """
        done = subprocess.run(
            [sys.executable, "-P", "-c", RUN, *arguments],
            env={**os.environ, **environment, "PYTHONPATH": str(self.code)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"mds {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def fill_sqlite(self, file: Path) -> str:
        """URL of a new database with what this release left."""
        connection = sqlite3.connect(file)
        connection.executescript(lzma.decompress((self.folder / SQLITE).read_bytes()).decode())
        connection.execute(of_dead_processes())
        connection.commit()
        connection.close()
        return f"sqlite:///{file}"

    def fill_mariadb(self, mariadb: MariaDB, url: str) -> str:
        """Fills an empty database with what this release left."""
        text = lzma.decompress((self.folder / MARIADB).read_bytes()) + of_dead_processes().encode()
        command = [find("mariadb") or "mariadb", *login(mariadb), name_in(url)]
        subprocess.run(command, input=text, check=True, timeout=60)
        return url


def of_dead_processes() -> str:
    """Statement by which the processes that held unit servers are of this host, and no more. With
    the host and the numbers they had where the database was made, whoever comes after them waits
    for their leases only on a host of that name, while no other process has one of the numbers."""
    return f"UPDATE session SET host = '{socket.gethostname()}', pid = {DEAD_PROCESS};"


def login(mariadb: MariaDB) -> list[str]:
    return ["--no-defaults", f"--socket={mariadb.folder / 's'}", "--user=root", "--skip-ssl"]
