"""One process of a unit server: started here, or found again by a later agent."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
GONE_STATES = frozenset("ZXx")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """One process of one boot of a host, told from any other that gets its id later. No clock
    has a part in it: setting the time changes nothing.

    Attributes:
        boot: id that the kernel made for this boot.
        start_ticks: when it started, in ticks of the kernel after the boot.
    """

    pid: int
    boot: str
    start_ticks: int

    @classmethod
    def of(cls, pid: int) -> Self:
        """Raises: ProcessLookupError, where there is none."""
        _, ticks = _read_stat(pid)
        return cls(pid, BOOT_ID.read_text().strip(), ticks)

    def is_alive(self) -> bool:
        """False also for one that has ended and that nobody has asked how."""
        try:
            state, _ = _read_stat(self.pid)
            return state not in GONE_STATES and ProcessMark.of(self.pid) == self
        except ProcessLookupError:
            return False

    def has_passed_on(self) -> bool:
        """Whether its id is another process's by now. Nothing is left then of the group that it
        led, for the kernel gives no id away that a group still bears."""
        try:
            return ProcessMark.of(self.pid) != self
        except ProcessLookupError:
            return False

    def age_s(self) -> float:
        """How long it has run, by the kernel's own count."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.start_ticks / TICKS_PER_S


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended.

    Attributes:
        status: its exit status, negative for the signal that ended it; None: not known, for
            only its parent is told.
    """

    status: int | None

    def __str__(self) -> str:
        if self.status is None:
            return "ended unseen"
        if self.status < 0:
            return f"was ended by signal {-self.status}"
        return f"ended with status {self.status}"


class UnitServerProcess:
    """A process that leads a session and a process group of its own, so that neither the end of
    the agent nor a signal to the agent's group reaches it."""

    def __init__(self, mark: ProcessMark, child: "subprocess.Popen[bytes] | None" = None) -> None:
        self.mark = mark
        self._child = child

    @classmethod
    def start(
        cls,
        arguments: Sequence[str],
        *,
        folder: str,
        environment: Mapping[str, str],
        output: BinaryIO,
    ) -> Self:
        """Starts a program; both its outputs go straight to a file, for a pipe would break with
        the agent.

        Raises:
            OSError: there is no such program or folder, or it may not be used.
        """
        child = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder or None,
            env=environment,
            start_new_session=True,
        )
        return cls(ProcessMark.of(child.pid), child)

    @classmethod
    def adopt(cls, mark: ProcessMark) -> Self | None:
        """The process that an earlier agent started, if it still runs."""
        return cls(mark) if mark.is_alive() else None

    @property
    def pid(self) -> int:
        return self.mark.pid

    def poll(self) -> Ending | None:
        """How it ended; None: it runs."""
        if self._child is not None:
            status = self._child.poll()
            return None if status is None else Ending(status)
        return None if self.mark.is_alive() else Ending(None)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to it and to all that it started in its group; to nobody, where its id
        has gone to a stranger since."""
        if self.mark.has_passed_on():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def runs_here(pid: int) -> bool:
    """Whether there is a process of that id on this host, whichever it is."""
    try:
        return _read_stat(pid)[0] not in GONE_STATES
    except ProcessLookupError:
        return False


def _read_stat(pid: int) -> tuple[str, int]:
    """State and start of a process.

    Raises:
        ProcessLookupError: there is none.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(pid) from None
    # The name of the program, in brackets, may have brackets and blanks itself.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])
