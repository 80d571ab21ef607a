"""Disks of a few GB in memory, to be filled."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


class SmallDisk:
    """
    Args:
        place: a folder, which becomes the disk.
    """

    def __init__(self, place: Path, *, size_mb: int) -> None:
        self.place = place
        self._size_mb = size_mb

    def mount(self) -> None:
        self.place.mkdir(parents=True, exist_ok=True)
        options = f"size={self._size_mb}m,mode=755"
        _run("mount", "-t", "tmpfs", "-o", options, "mds-chaos", str(self.place))

    def lend(self, file: Path) -> None:
        """Has a file elsewhere be on this disk."""
        own = self.place / file.name
        own.touch()
        file.touch()
        _run("mount", "--bind", str(own), str(file))

    @property
    def free_mb(self) -> int:
        return shutil.disk_usage(self.place).free >> 20

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Not a byte is left, until the end.

        Raises:
            RuntimeError: some are.
        """
        filler = self.place / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                size = 0
                # Others may take some of it meanwhile: what cannot be had whole is had in halves.
                step = shutil.disk_usage(self.place).free
                while step:
                    try:
                        os.posix_fallocate(file.fileno(), size, step)
                        size += step
                    except OSError:
                        step //= 2
            if left := shutil.disk_usage(self.place).free:
                raise RuntimeError(f"{self.place} is not full: {left:,} bytes are left")
            yield
        finally:
            filler.unlink(missing_ok=True)


def unmount_below(folder: Path) -> None:
    """Takes away every disk in a folder, also while somebody still has a file open."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for each in reversed(mounted):
        if Path(each).is_relative_to(folder):
            _run("umount", "--lazy", each)


def remove_what_was_left(parent: Path) -> None:
    """Removes folders of runs that were killed; each has the number of its process for a name."""
    for each in parent.iterdir() if parent.is_dir() else ():
        if each.name.isdigit() and not _is_alive(int(each.name)):
            unmount_below(each)
            shutil.rmtree(each, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=20)
