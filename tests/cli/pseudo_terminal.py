"""`mds` on a terminal, or a shell, as people have it: a real pseudo terminal, whose screen is read."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence

import psutil

from tests.stages.nursery import MDS

_MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")
_OTHER = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class PseudoTerminal:
    """A program on a terminal of its own.

    Attributes:
        written: all that it has written.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, program: str = MDS
    ) -> None:
        self.written = ""
        self._keyboard, there = pty.openpty()
        self.before = termios.tcgetattr(there)
        self._there = there
        self.resize(24, 80)
        self.program = subprocess.Popen(
            [program, *arguments],
            stdin=there, stdout=there, stderr=there,
            env={**os.environ, "TERM": "xterm", **environment},
            start_new_session=True,
        )  # fmt: skip

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self._there, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def has_resized(self, lines: int, columns: int) -> None:
        """Resizes it as a window does: the program is told."""
        self.resize(lines, columns)
        self.program.send_signal(signal.SIGWINCH)

    def press(self, keys: str) -> None:
        os.write(self._keyboard, keys.encode())

    def read(self) -> str:
        """What is on the screen by now, as far as cursor moves tell."""
        while select.select([self._keyboard], [], [], 0)[0]:
            self.written += os.read(self._keyboard, 65536).decode(errors="replace")
        return self.screen()

    def screen(self) -> str:
        """Lines by their places; one that was written later stands."""
        text = self.written.rpartition("\x1b[2J")[2]
        lines: dict[int, str] = {}
        parts = _MOVE.split(text)
        for row, _, line in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            lines[int(row)] = _OTHER.sub("", line)
        return "\n".join(lines[row] for row in sorted(lines))

    def ended(self, within: float = 20.0) -> int:
        """Its status, once it has ended; reads on meanwhile, for a full terminal holds it up."""
        end = time.monotonic() + within
        while self.program.poll() is None and time.monotonic() < end:
            self.read()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.program.wait(0.05)
        self.read()
        status = self.program.poll()
        assert status is not None, f"it has not ended in {within} s:\n{self.written}"
        return status

    def is_stopped(self) -> bool:
        """Whether it rests, as after Ctrl-Z."""
        self.read()
        return psutil.Process(self.program.pid).status() == psutil.STATUS_STOPPED

    def is_as_before(self) -> bool:
        """Whether keys are echoed and lines are lines again."""
        return bool(termios.tcgetattr(self._there)[3] == self.before[3])

    def close(self) -> None:
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        os.close(self._keyboard)
        os.close(self._there)


@contextlib.contextmanager
def on_a_terminal(
    *arguments: str, environment: Mapping[str, str] | None = None, program: str = MDS
) -> Iterator[PseudoTerminal]:
    terminal = PseudoTerminal(arguments, environment or {}, program=program)
    try:
        yield terminal
    finally:
        terminal.close()
