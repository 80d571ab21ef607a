"""What a test may not leave behind: tasks on its event loop and processes of its own."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.stages.waiting import PAUSE_S

# Lives for the whole session, and may be started by any test that needs it first.
KEPT_PROGRAMS = ("mariadbd", "chromium", "chromium-headless-shell")
_KEPT_NAMES = {name[:15] for name in KEPT_PROGRAMS}
SETTLE_S = 1.0
_TELLS_CHILDREN = Path("/proc/thread-self/children").exists()


async def leaked_tasks(before: set[asyncio.Task[object]]) -> list[str]:
    """Tasks that were not there before and do not end within a moment."""
    current = asyncio.current_task()
    new = {task for task in asyncio.all_tasks() - before if task is not current}
    if not new:
        return []
    _, pending = await asyncio.wait(new, timeout=SETTLE_S)
    for task in pending:
        task.cancel()
    return sorted(f"{task.get_name()}: {task.get_coro()}" for task in pending)


def descendants() -> set[int]:
    """Process ids of our children and theirs.

    Each test asks twice: where Linux tells the children of a process, nobody looks through all
    processes of the machine for them (5 ms), nor through the threads of what lives for the whole
    session (2 ms).
    """
    if not _TELLS_CHILDREN:
        return {child.pid for child in psutil.Process().children(recursive=True)}
    found: set[int] = set()
    parents = [os.getpid()]
    while parents:
        children = set(_children_of(parents.pop())) - found
        found |= children
        parents += (child for child in children if _name_of(child) not in _KEPT_NAMES)
    return found


def _name_of(pid: int) -> str:
    """As much of it as Linux keeps; empty: it has ended."""
    try:
        with open(f"/proc/{pid}/comm") as name:
            return name.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _children_of(pid: int) -> Iterator[int]:
    """Each thread has those that it started; a process that ends meanwhile has none."""
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as children:
                yield from map(int, children.read().split())
    except (FileNotFoundError, ProcessLookupError):
        return


def left_processes(before: set[int]) -> set[str]:
    """Command lines of our children and theirs that were not there before and do not end within
    a moment."""
    deadline = time.monotonic() + SETTLE_S
    while (left := _come_since(before)) and time.monotonic() < deadline:
        time.sleep(PAUSE_S)
    return left


def _come_since(before: set[int]) -> set[str]:
    come = set()
    for pid in descendants() - before:
        try:
            child = psutil.Process(pid)
            if child.status() != psutil.STATUS_ZOMBIE and not _is_kept(child):
                come.add(" ".join(child.cmdline()))
        except psutil.NoSuchProcess:
            continue
    return come


def _is_kept(child: psutil.Process) -> bool:
    """Those of the nursery are our own children; what is born there is theirs."""
    if child.name() in KEPT_PROGRAMS:
        return True
    is_ours = child.ppid() == os.getpid()
    return is_ours and any("from multiprocessing." in each for each in child.cmdline())
