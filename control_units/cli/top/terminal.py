"""A terminal as a screen of lines with keys, given back as it was.

Only lines that differ are written: it is watched over slow links, too.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence

import click

_BEGIN = "\x1b[?1049h\x1b[?25l\x1b[2J"
_END = "\x1b[?25h\x1b[?1049l"


class Terminal:
    """Standard input and output.

    Args:
        has_colours: whether people want them.
    """

    def __init__(self, *, has_colours: bool = True) -> None:
        self._has_colours = has_colours
        self._keyboard = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._keyboard)
        self.keys: asyncio.Queue[str] = asyncio.Queue(100)
        self._shown: list[str] = []
        self._size = (0, 0)

    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now: COLUMNS and LINES would not follow a window."""
        try:
            columns, lines = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            columns, lines = shutil.get_terminal_size()
        return columns, lines

    def show(self, lines: Sequence[str]) -> None:
        if not self._has_colours:
            lines = list(map(click.unstyle, lines))
        size = self.size()
        if size != self._size:
            self._size, self._shown = size, []
            self._write("\x1b[2J")
        parts = [
            f"\x1b[{place + 1};1H{line}\x1b[0m\x1b[K"
            for place, line in enumerate(lines)
            if self._shown[place : place + 1] != [line]
        ]
        if parts:
            self._write("".join(parts))
        self._shown = list(lines)

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Keys come one by one, and what was on the screen comes back in the end."""
        self._take()
        try:
            yield
        finally:
            self._give_back()

    def rest(self) -> None:
        """Stops the program, as Ctrl-Z does, with the terminal as it was; takes it again when
        the program goes on."""
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()
        self._size = (0, 0)

    def _take(self) -> None:
        self._before = termios.tcgetattr(self._keyboard)
        tty.setcbreak(self._keyboard, termios.TCSADRAIN)  # keys that wait are not lost
        asyncio.get_running_loop().add_reader(self._keyboard, self._read, self._keyboard)
        self._write(_BEGIN)

    def _give_back(self) -> None:
        asyncio.get_running_loop().remove_reader(self._keyboard)
        # The other end may be gone, as with a lost connection.
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._before)
            self._write(_END)

    def _read(self, keyboard: int) -> None:
        try:
            text = os.read(keyboard, 1024).decode(errors="replace")
        except OSError:
            text = ""
        # Arrows and the like are one word that begins with Esc; nothing of it is a key here.
        pressed = [] if text.startswith("\x1b") and len(text) > 1 else list(text or "q")
        for key in pressed:
            with contextlib.suppress(asyncio.QueueFull):
                self.keys.put_nowait(key)
