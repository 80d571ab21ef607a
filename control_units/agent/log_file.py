"""The output of a unit server, in files that stay small."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

LARGEST_BYTES = 10_000_000
KEPT_FILES = 3
TAIL_BYTES = 64 * 1024


class LogFile:
    """One file that a program appends to by itself, and the older parts of it beside it.

    The program holds the file open and outlives the agent: so the file is not renamed but
    copied and cut, and what is written between the two is lost.

    Args:
        largest_bytes: size from which on it is cut.
        kept_files: how many older parts stay.
    """

    def __init__(
        self, path: Path, *, largest_bytes: int = LARGEST_BYTES, kept_files: int = KEPT_FILES
    ) -> None:
        self.path = path
        self._largest_bytes = largest_bytes
        self._kept_files = kept_files
        self._told_bytes = self._size()

    def open(self) -> BinaryIO:
        """For a program to append to: after a cut it goes on at the beginning."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")

    def part(self, number: int) -> Path:
        """An older part; 1 is the newest of them."""
        return self.path.with_name(f"{self.path.name}.{number}")

    def keep_small(self) -> None:
        """Cuts the file if it has grown too large."""
        if self._size() < self._largest_bytes:
            return
        for number in range(self._kept_files, 1, -1):
            if self.part(number - 1).exists():
                self.part(number - 1).replace(self.part(number))
        shutil.copyfile(self.path, self.part(1))
        self.part(1).chmod(0o600)
        os.truncate(self.path, 0)

    def last_lines(self, count: int) -> list[str]:
        """At most so many lines, at most 64 KiB of them, the last one last."""
        tail = _tail(self.path, TAIL_BYTES)
        if tail.count(b"\n") < count:
            tail = _tail(self.part(1), TAIL_BYTES - len(tail)) + tail
        return tail.decode(errors="replace").splitlines()[-count:]

    def news(self) -> bytes:
        """What has been written since it was asked last, at most 64 KiB: the rest of a flood
        stays in the file."""
        size = self._size()
        since = self._told_bytes if self._told_bytes <= size else 0
        self._told_bytes = size
        return _tail(self.path, min(size - since, TAIL_BYTES)) if size > since else b""

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0


def _tail(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - count))
            return file.read(count)
    except FileNotFoundError:
        return b""
