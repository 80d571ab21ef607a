"""A program in a process of its own, whose end a test decides."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.stages.nursery import MDS, Newborn
from tests.stages.waiting import until


class Program:
    """One program, run again and again; its output goes to a file.

    It leads a process group of its own, so that ending it leaves nothing behind.
    """

    def __init__(
        self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command = list(command)
        self.log = log
        self.environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | Newborn | None = None

    @classmethod
    def mds(
        cls, *arguments: str, log: Path, environment: Mapping[str, str] | None = None
    ) -> "Program":
        """`mds …` of this environment, born with its modules loaded."""
        return cls([MDS, *arguments], log=log, environment=environment)

    @property
    def process(self) -> subprocess.Popen[bytes] | Newborn:
        assert self._process is not None, f"{self.command[:2]} has not been started"
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self) -> None:
        assert not self.is_running(), f"{self.command[:2]} runs already"
        environment = {**os.environ, **self.environment}
        if self.command[0] == MDS:
            log = str(self.log)
            self._process = Newborn(self.command[1:], environment, stdout=log, stderr=log)
            return
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def last_lines(self, count: int = 20) -> str:
        return "\n".join(self.output().splitlines()[-count:])

    def check_running(self) -> None:
        """Raises: AssertionError, with its last words, if it has ended."""
        if not self.is_running():
            status = self.process.returncode
            raise AssertionError(
                f"{' '.join(self.command)} ended with {status}:\n{self.last_lines()}"
            )

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self.pid, number)

    def pause(self) -> None:
        """It keeps its memory and its sockets, and does nothing (SIGSTOP)."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """No good-bye (SIGKILL)."""
        if self.is_running():
            self.signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    async def terminate(self, *, within: float = 15.0) -> int:
        """Asks it to end (SIGTERM) and waits until it has.

        Returns:
            Its exit status.
        """
        if self.is_running():
            self.signal(signal.SIGTERM)
        return await self.ended(within=within)

    async def ended(self, *, within: float = 15.0) -> int:
        """Its exit status, once it has ended."""
        await until(
            lambda: not self.is_running(), within=within, what=f"the end of {self.command[:3]}"
        )
        return self.process.wait()

    def clear(self) -> None:
        """Ends it at once, whatever it does, with all that it started."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(timeout=10)
