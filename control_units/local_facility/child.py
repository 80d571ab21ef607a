"""One program as a child process that leaves nothing behind."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAST_LINES = 12
LAST_BYTES = 16_384
ROUTINE = frozenset({"debug", "info"})


@dataclass(frozen=True, slots=True)
class Child:
    """A running program, leader of its own process group, so that Ctrl-C on a terminal does not
    reach it before its turn.

    Attributes:
        name: what it is, for people.
        log: file that its output goes to.
    """

    name: str
    log: Path
    process: asyncio.subprocess.Process

    @classmethod
    async def start(
        cls, name: str, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str]
    ) -> "Child":
        """Starts `mds` with these arguments."""
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *ends_with_its_parent(),
                *mds_command(),
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        return cls(name, log, process)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.returncode is None

    async def ended(self) -> int:
        """Its exit status, once it has ended; a negative one is the signal that ended it."""
        return await self.process.wait()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to it and to all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def words(self) -> list[str]:
        """All lines of its output."""
        return self.log.read_text(errors="replace").splitlines()

    def last_words(self) -> str:
        """The last lines of its output that say more than that all is well."""
        with self.log.open("rb") as log:
            begin = log.seek(max(0, log.seek(0, os.SEEK_END) - LAST_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        if begin:  # in the middle of a line, of which nobody knows what it was
            del lines[0]
        return "\n".join([line for line in lines if not is_routine(line)][-LAST_LINES:])


def is_routine(line: str) -> bool:
    """Whether a line is an event of a log that nobody need worry about."""
    try:
        event = json.loads(line)
    except ValueError:
        return False
    return isinstance(event, dict) and event.get("level") in ROUTINE


async def end_all(children: Sequence[Child], *, within: float) -> list[Child]:
    """Asks children to end (SIGTERM), and ends those that have not within so many seconds.

    Returns:
        Those that had to be killed.
    """
    for child in children:
        child.send(signal.SIGTERM)
    killed: list[Child] = []
    try:
        async with asyncio.timeout(within):
            for child in children:
                await child.ended()
    except TimeoutError:
        killed = [child for child in children if child.is_running]
    finally:
        # Groups of those that ended too: nothing that they started stays behind.
        for child in children:
            child.send(signal.SIGKILL)
    for child in killed:
        await child.ended()
    return killed


def mds_command() -> list[str]:
    """`mds` as it is installed beside this Python; else the one on PATH."""
    here = Path(sysconfig.get_path("scripts"), "mds")
    return [str(here) if here.exists() else "mds"]


def ends_with_its_parent() -> list[str]:
    """Has the kernel end a child whose parent was killed without a chance to do it itself."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
