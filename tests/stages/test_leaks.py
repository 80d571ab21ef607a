"""The guards of all tests do find what they look for."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stages.leaks import descendants, leaked_tasks, left_processes
from tests.stages.loopback import Loopback, is_loopback


async def test_a_task_that_goes_on_is_named_and_ended() -> None:
    before = asyncio.all_tasks()
    task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")

    leaked = await leaked_tasks(before)

    assert len(leaked) == 1
    assert leaked[0].startswith("forgotten: ")
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_task_that_is_about_to_end_is_no_leak() -> None:
    before = asyncio.all_tasks()
    ending = asyncio.create_task(asyncio.sleep(0))

    assert await leaked_tasks(before) == []
    assert ending.done()


def test_a_child_process_is_seen_until_it_has_ended() -> None:
    before = descendants()
    child = subprocess.Popen(["sleep", "60"])
    try:
        assert left_processes(before) == {"sleep 60"}
        assert not left_processes(descendants())
    finally:
        child.kill()
        child.wait()
    assert not left_processes(before)


def test_what_a_child_of_another_thread_has_started_is_seen() -> None:
    before = descendants()
    with ThreadPoolExecutor(1) as threads:
        script = ["sh", "-c", "sleep 60 & echo; wait"]
        child = threads.submit(lambda: subprocess.Popen(script, stdout=subprocess.PIPE)).result()
        assert child.stdout is not None
        with child.stdout as told:
            told.readline()
        found = descendants() - before
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        child.wait()
    assert len(found) == 2


def test_a_connection_beyond_loopback_is_refused_and_remembered(loopback: Loopback) -> None:
    with socket.socket() as outside, pytest.raises(PermissionError, match="stay on loopback"):
        outside.connect(("192.0.2.1", 9))
    strayed, loopback.strayed = loopback.strayed, []
    assert strayed == ["socket.connect to ('192.0.2.1', 9)"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost", "::1%lo"])
def test_loopback_is_let_through(host: str) -> None:
    assert is_loopback((host, 1))


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "example.org", "2001:db8::1"])
def test_the_rest_is_not_loopback(host: str) -> None:
    assert not is_loopback((host, 1))
