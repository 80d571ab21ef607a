"""The clock of one process, and what is left of it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.clock import LIBRARY, SHARED, Clock
from tests.stages.requirements import needs
from tests.stages.waiting import until


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    needs("" if LIBRARY.exists() else "apt-get install libfaketime")
    clock = Clock("a replica", tmp_path / "clock")
    clock.set(0)
    return clock


@contextmanager
def running(clock: Clock) -> Iterator[int]:
    """A process with that clock; it is killed, so that it cannot clear up."""
    process = subprocess.Popen(["sleep", "60"], env={**os.environ, **clock.environment})
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def left(pid: int) -> list[str]:
    return sorted(each.name for each in SHARED.glob(f"*faketime_*_{pid}"))


async def test_what_is_kept_for_a_process_that_was_killed_is_removed_and_no_other(
    clock: Clock,
) -> None:
    with running(clock) as alive:
        await until(lambda: len(left(alive)) == 2)
        with running(clock) as killed:
            await until(lambda: len(left(killed)) == 2)
        assert left(killed), "the library removes them by itself now: all this may go"
        clock.clear()
        assert not left(killed)
        assert len(left(alive)) == 2
    clock.clear()
    assert not left(alive)


async def test_what_was_there_before_is_left_alone(clock: Clock) -> None:
    with running(clock) as killed:
        await until(lambda: len(left(killed)) == 2)
    kept = left(killed)
    os.utime(SHARED / kept[0], (0, 0))
    clock.clear()
    assert left(killed) == kept[:1]
    (SHARED / kept[0]).unlink()
