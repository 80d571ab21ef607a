"""What processes use, in one walk over all processes of the host."""

import contextlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Places after the name of the program; see proc_pid_stat(5), which counts from 1 and before it.
SESSION, USER_TICKS, SYSTEM_TICKS, RESIDENT_PAGES = 3, 11, 12, 21


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process uses with all that it started.

    Attributes:
        cpu_s: time on processors of those that still run, in s.
        memory_bytes: resident.
    """

    cpu_s: float = 0.0
    memory_bytes: int = 0


def usages(leaders: Collection[int]) -> dict[int, Usage]:
    """By process id, of processes that lead a session of their own, as the agent starts them."""
    found = dict.fromkeys(leaders, Usage())
    if not found:
        return found
    for entry in os.scandir(PROC):
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError):  # it ended meanwhile
            fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            leader = int(fields[SESSION])
            if leader in found:
                found[leader] = added(found[leader], fields)
    return found


def added(before: Usage, fields: list[str]) -> Usage:
    ticks = int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS])
    return Usage(
        before.cpu_s + ticks / TICKS_PER_S,
        before.memory_bytes + int(fields[RESIDENT_PAGES]) * PAGE_BYTES,
    )
