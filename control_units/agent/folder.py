"""What an agent keeps on the disk of its host."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from control_units.agent.log_file import LogFile
from control_units.agent.process import ProcessMark
from control_units.disk_copy import default_folder
from control_units.file_names import file_name

log = structlog.get_logger(__name__)


class AgentRunsAlready(Exception):
    """Another process on this host is this agent.

    Attributes:
        pid: that process; 0: not known.
    """

    def __init__(self, agent: str, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"Agent {agent} runs already on this host, as {who}. A host needs one: end that one "
            "first; the unit servers that it launched go on."
        )
        self.pid = pid


@dataclass(frozen=True, slots=True)
class Remembered:
    """A process of a unit server, as an earlier agent left it.

    Attributes:
        restart_count: the last order to restart that the earlier agent had carried out.
    """

    mark: ProcessMark
    restart_count: int


class AgentFolder:
    """One folder an agent, in MDS_STATE_FOLDER or else the user's own folder for state.

    Configurations and environments may hold passwords: only this user may read it.
    """

    def __init__(self, agent: str, *, state_folder: Path | None = None) -> None:
        self.agent = agent
        self.path = (state_folder or default_folder()) / "agents" / file_name(agent)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Holds the folder for this process, until it ends.

        Raises:
            AgentRunsAlready: another process holds it.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = lock.read().strip()
                pid = int(holder) if holder.isdecimal() else 0
                raise AgentRunsAlready(self.agent, pid) from None
            lock.seek(0)
            lock.truncate()
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def log(self, unit_server: str) -> LogFile:
        """Where the output of a unit server goes."""
        return LogFile(self.path / "logs" / f"{file_name(unit_server)}.log")

    def write_configuration(self, unit_server: str, text: str) -> Path:
        """The file that a launch's configuration text is passed in."""
        path = self.path / "configurations" / f"{file_name(unit_server)}.cfg"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_whole(path, text.encode())
        return path

    def remember(
        self, unit_server: str, mark: ProcessMark | None, *, restart_count: int = 0
    ) -> None:
        """Keeps which process a unit server runs in, for an agent that comes after a sudden end
        of this one; None: in none.

        Args:
            restart_count: the last order to restart that was carried out.
        """
        path = self._process_file(unit_server)
        if mark is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = {"unit_server": unit_server, "restart_count": restart_count, **asdict(mark)}
        _write_whole(path, json.dumps(content).encode())

    def remembered(self) -> Mapping[str, Remembered]:
        """The processes of unit servers, by id, as an earlier agent left them; they may have
        ended since."""
        found: dict[str, Remembered] = {}
        for path in sorted((self.path / "processes").glob("*.json")):
            try:
                kept = json.loads(path.read_bytes())
                mark = ProcessMark(int(kept["pid"]), str(kept["boot"]), int(kept["start_ticks"]))
                count = int(kept.get("restart_count", 0))
                found[str(kept["unit_server"])] = Remembered(mark, count)
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.warning("agent_process_unreadable", path=str(path), error=str(error))
        return found

    def save_copy(self, content: bytes) -> None:
        """Keeps what is declared, for a start without a server."""
        digest = hashlib.sha256(content).hexdigest().encode()
        _write_whole(self.path / "declared.copy", digest + b"\n" + content)

    def load_copy(self) -> bytes | None:
        """What was kept; None: nothing that can be used."""
        path = self.path / "declared.copy"
        try:
            digest, _, content = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        if digest != hashlib.sha256(content).hexdigest().encode():
            log.warning("agent_copy_damaged", path=str(path))
            return None
        return content

    def _process_file(self, unit_server: str) -> Path:
        return self.path / "processes" / f"{file_name(unit_server)}.json"


def _write_whole(path: Path, content: bytes) -> None:
    """Written beside and renamed: who reads finds the old one or the new one, whole."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
