"""A MariaDB of our own: real, durable, on loopback, and free to be broken."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pymysql

from tests.stages.ports import free_port
from tests.stages.program import Program

USER = "mds"
# A word that can be looked for: it must never show in a log.
PASSWORD = "Pa55-of-a-test"
START_TIMEOUT_S = 30.0


def find(program: str) -> str | None:
    """Path of a program; Debian keeps servers where only root looks."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def what_is_missing() -> str:
    """Says which program a MariaDB stage lacks here; empty: none."""
    missing = [name for name in ("mariadbd", "mariadb-install-db") if find(name) is None]
    return f"{' and '.join(missing)} not found (apt-get install mariadb-server)" if missing else ""


def name_in(url: str) -> str:
    """Name of the database that a URL leads to."""
    return urlsplit(url).path.removeprefix("/")


IN_MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 1024**3
LONGEST_TESTS_S = 6 * 3600


def data_folder(otherwise: Path) -> Path:
    """Where a server may keep its data: in memory, if there is plenty of it. What it says it has
    written outlives its process there too, and nobody waits for a disk."""
    is_there = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK)
    if not is_there or shutil.disk_usage(IN_MEMORY).free < ROOM_BYTES:
        return otherwise
    for left in IN_MEMORY.glob("mds-mariadb-*"):  # by tests that were killed
        if time.time() - left.stat().st_mtime > LONGEST_TESTS_S:
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix="mds-mariadb-", dir=IN_MEMORY))


class MariaDB:
    """One server with a data folder of its own.

    Args:
        on_disk: also where there is plenty of memory; else its times say nothing of service.
    """

    def __init__(self, folder: Path, *, on_disk: bool = False) -> None:
        self.folder = folder
        self.data = folder / "data" if on_disk else data_folder(folder / "data")
        self.port = free_port()
        self._program = Program(self._command(), log=folder / "mariadbd.log")

    def _options(self) -> list[str]:
        as_user = ["--user=root"] if os.geteuid() == 0 else []
        return ["--no-defaults", *as_user, f"--datadir={self.data}", f"--tmpdir={self.folder}"]

    def _command(self) -> list[str]:
        return [
            find("mariadbd") or "mariadbd",
            *self._options(),
            f"--socket={self.folder / 's'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            # As durable as in service: what was acknowledged is on disk.
            "--innodb-flush-log-at-trx-commit=1",
            "--innodb-buffer-pool-size=256M",
            "--max-connections=300",
            "--skip-log-bin",
            "--performance-schema=OFF",
        ]

    def install(self) -> None:
        """Makes the data folder, with a user who may do everything."""
        command = [
            find("mariadb-install-db") or "mariadb-install-db",
            *self._options(),
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"mariadb-install-db failed:\n{done.stdout}{done.stderr}"
        self.start()
        self.execute(
            f"CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            f"GRANT ALL ON *.* TO '{USER}'@'127.0.0.1'",
        )

    @property
    def pid(self) -> int:
        return self._program.pid

    def start(self) -> None:
        """Starts it, and returns when it answers."""
        self._program.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._listens():
            self._program.check_running()
            assert time.monotonic() < deadline, self._program.last_lines()
            time.sleep(0.02)
        self.execute("SELECT 1")

    def _listens(self) -> bool:
        # Asked with a socket of our own, as PyMySQL leaves one open when it is refused.
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / "s")) == 0

    def kill(self) -> None:
        """Power off: SIGKILL. What it acknowledged is there at the next start."""
        self._program.kill()

    def pause(self) -> None:
        """It takes connections and answers nobody (SIGSTOP)."""
        self._program.pause()

    def resume(self) -> None:
        self._program.resume()

    def restart(self) -> None:
        self.kill()
        self.start()

    def heal(self) -> None:
        """Whatever a test did to it: it answers again."""
        if self._program.is_running():
            self._program.resume()
        else:
            self.start()

    def clear(self) -> None:
        """Ends it, without waiting for it to tidy up, and takes its data away."""
        self._program.clear()
        shutil.rmtree(self.data, ignore_errors=True)

    def execute(self, *statements: str) -> tuple[tuple[object, ...], ...]:
        """Rows of the last statement, run as root with autocommit."""
        connection = self._connect()
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return tuple(cursor.fetchall())

    @contextlib.contextmanager
    def in_use(self, table: str) -> Iterator[None]:
        """A transaction that has read a table stays open: meanwhile nobody changes its layout."""
        connection = self._connect()
        with connection, connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            yield

    def create_database(self) -> str:
        """Name of a new, empty database with the server's own defaults."""
        name = f"mds_{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Ends what still uses it, and drops it."""
        self.end_users(name)
        self.execute(f"DROP DATABASE {name}")

    def end_users(self, name: str) -> None:
        """Ends the connections of whatever still uses it, which a hanging program may."""
        users = self.execute(f"SELECT id FROM information_schema.processlist WHERE db = '{name}'")
        for (user,) in users:
            with contextlib.suppress(pymysql.err.OperationalError):  # gone by itself meanwhile
                self.execute(f"KILL {user}")

    def _connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """As root, with autocommit."""
        return pymysql.connect(
            unix_socket=str(self.folder / "s"),
            user="root",
            autocommit=True,
            connect_timeout=5,
            ssl_disabled=True,  # or certificates are loaded each time: 30 ms
        )

    def url(self, database: str) -> str:
        # Without TLS, for which certificates would be loaded for each connection: 30 ms.
        address = f"127.0.0.1:{self.port}/{database}"
        return f"mysql+pymysql://{USER}:{PASSWORD}@{address}?ssl_disabled=true"
