"""What a cluster of plain processes makes on a machine, and takes with it when it goes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from deploy.processes.network import HOSTS, PREFIX

INTERFACES = Path("/sys/class/net")
NAMESPACES = Path("/run/netns")
MOUNTS = Path("/proc/mounts")


def traces(folder: Path) -> list[str]:
    """What is there now of clusters whose data and logs are in a folder, in words; nothing where
    none runs and none has left anything.

    Args:
        folder: or the beginning of its name.
    """
    return [
        *(f"interface {each.name}" for each in INTERFACES.glob(f"{PREFIX}*")),
        *(f"namespace {each.name}" for each in NAMESPACES.glob(f"{PREFIX}*")),
        *(f"names of hosts in {each}" for each in HOSTS.glob(f"{PREFIX}*")),
        *(f"mount of {each}" for each in _mounts() if each.startswith(str(folder))),
        *(f"process {each}" for each in _processes_in(folder)),
        *(f"file {each}" for each in folder.parent.glob(f"{folder.name}*")),
    ]


def _mounts() -> list[str]:
    return [line.split()[1] for line in MOUNTS.read_text().splitlines()]


def _processes_in(folder: Path) -> Iterator[str]:
    """Those that work there, as everything of a cluster does."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if str((process / "cwd").readlink()).startswith(str(folder)):
                words = (process / "cmdline").read_bytes().split(b"\0")
                yield f"{process.name} {b' '.join(words).decode(errors='replace')[:80]}"
