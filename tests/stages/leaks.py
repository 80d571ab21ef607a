"""What a test may not leave behind: tasks on its event loop and processes of its own."""

import asyncio
import os

import psutil

# Lives for the whole session, and may be started by any test that needs it first.
KEPT_PROGRAMS = ("mariadbd", "chromium")
SETTLE_S = 1.0


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


def child_processes() -> dict[int, str]:
    """Command lines of our children and theirs, by process id."""
    children = {}
    for child in psutil.Process().children(recursive=True):
        try:
            if child.status() != psutil.STATUS_ZOMBIE and not _is_kept(child):
                children[child.pid] = " ".join(child.cmdline())
        except psutil.NoSuchProcess:
            continue
    return children


def _is_kept(child: psutil.Process) -> bool:
    """Those of the nursery are our own children; what is born there is theirs."""
    if child.name() in KEPT_PROGRAMS:
        return True
    is_ours = child.ppid() == os.getpid()
    return is_ours and any("from multiprocessing." in each for each in child.cmdline())
