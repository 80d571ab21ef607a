"""A browser that sleeps as a laptop does when its lid is closed: nothing of it runs."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from tests.webui.browsers import CHROMIUM


@contextmanager
def asleep() -> Iterator[None]:
    """Stops all processes of this process's browser for a while; nothing may be asked of it then."""
    stopped = _browser()
    assert stopped
    _tell(stopped, psutil.Process.suspend)
    try:
        yield
    finally:
        _tell(stopped, psutil.Process.resume)


def _browser() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() == CHROMIUM:
                found.append(process)
    return found


def _tell(processes: list[psutil.Process], signal: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        # Those of tabs that a test before has closed may still be on their way out.
        with contextlib.suppress(psutil.NoSuchProcess):
            signal(process)
