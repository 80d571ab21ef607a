"""Where a local facility is kept: its database, its logs, and word of who runs it."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from control_units.file_names import file_name


class RunsAlready(Exception):
    """Another process runs this facility.

    Attributes:
        pid: that process; 0: not known.
        page: URL of its page; empty: not known.
    """

    def __init__(self, pid: int, page: str) -> None:
        super().__init__(f"process {pid} runs it")
        self.pid = pid
        self.page = page


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder a facility file, so that two facilities never mix."""

    path: Path

    @classmethod
    def of(cls, facility_file: Path) -> "Folder":
        """The folder of the facility that this file describes, in the user's data folder."""
        whole = str(facility_file.resolve())
        key = f"{facility_file.stem}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
        path = platformdirs.user_data_path("mds") / "run" / key
        (path / "logs").mkdir(parents=True, exist_ok=True)
        return cls(path)

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / 'mds.db'}"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def log(self, name: str) -> Path:
        """Log file of a program; names may have slashes and colons, and no two share one."""
        return self.logs / f"{file_name(name)}.log"

    @property
    def token(self) -> Path:
        """File with the token of whoever runs it, where its server asks for one."""
        return self.path / "token"

    @contextmanager
    def taken(self, page: str) -> Iterator[None]:
        """Holds the folder for this process.

        Raises:
            RunsAlready: another process holds it.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise runs_already(lock.read()) from None
            lock.seek(0)
            lock.truncate()
            json.dump({"pid": os.getpid(), "page": page}, lock)
            lock.flush()
            yield

    def imported(self) -> str:
        """What was imported last into which store: see `remember_import`; empty: nothing."""
        try:
            return (self.path / "imported").read_text()
        except FileNotFoundError:
            return ""

    def remember_import(self, content: str) -> None:
        (self.path / "imported").write_text(content)


def runs_already(word: str) -> RunsAlready:
    """What the holder of a lock wrote; it may be about to write it."""
    try:
        holder = json.loads(word)
        return RunsAlready(int(holder["pid"]), str(holder["page"]))
    except (ValueError, KeyError, TypeError):
        return RunsAlready(0, "")
