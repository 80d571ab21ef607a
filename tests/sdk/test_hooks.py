"""Calling what authors wrote, without trusting it."""

import asyncio
import sys
import threading
from collections.abc import Awaitable

import pytest

from control_units import hooks
from control_units.faults import FatalError, RecoverableError


async def call(hook: object, *, deadline: float = 5.0, slots: int = 1) -> None:
    await hooks.call(hook, deadline=deadline, slots=asyncio.Semaphore(slots))  # type: ignore[arg-type]


async def test_an_async_hook_runs_on_the_loop_and_a_plain_one_beside_it() -> None:
    seen = []

    async def on_loop() -> None:
        seen.append(threading.current_thread())

    def beside() -> None:
        seen.append(threading.current_thread())

    await call(on_loop)
    await call(beside)
    assert seen[0] is threading.current_thread()
    assert seen[1] is not threading.current_thread()


async def test_a_coroutine_function_behind_a_decorator_is_awaited() -> None:
    seen = []

    async def inner() -> None:
        seen.append(threading.current_thread())

    def decorated() -> Awaitable[None]:
        return inner()

    await call(decorated)
    assert seen == [threading.current_thread()]


async def test_what_a_hook_raises_comes_out() -> None:
    async def on_loop() -> None:
        raise KeyError("a")

    def beside() -> None:
        raise ValueError("b")

    with pytest.raises(KeyError):
        await call(on_loop)
    with pytest.raises(ValueError, match="b"):
        await call(beside)


async def test_a_hook_cannot_end_the_process() -> None:
    async def on_loop() -> None:
        raise SystemExit(3)

    for hook in (on_loop, lambda: sys.exit(3)):
        with pytest.raises(RecoverableError, match=r"called sys.exit\(3\)"):
            await call(hook)


async def test_an_async_hook_that_hangs_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(RecoverableError, match=r"hang did not end within 0.05 s and was cancelled"):
        await call(hang, deadline=0.05)
    assert cancelled.is_set()


async def test_a_hook_that_cannot_be_ended_is_told_apart_and_its_end_can_be_seen() -> None:
    release = threading.Event()

    with pytest.raises(hooks.StillRunning, match="still running") as caught:
        await call(release.wait, deadline=0.05)
    assert isinstance(caught.value, FatalError)
    assert not caught.value.ended.done()
    release.set()
    await asyncio.wait_for(caught.value.ended, 5)


async def test_a_hook_that_hangs_gives_its_place_back() -> None:
    release = threading.Event()
    slots = asyncio.Semaphore(1)
    with pytest.raises(hooks.StillRunning) as caught:
        await hooks.call(release.wait, deadline=0.05, slots=slots)
    await hooks.call(lambda: None, deadline=5.0, slots=slots)
    release.set()
    await asyncio.wait_for(caught.value.ended, 5)


async def test_a_hook_that_raises_cancelled_does_not_cancel_its_caller() -> None:
    async def odd() -> None:
        raise asyncio.CancelledError

    def plain() -> None:
        raise asyncio.CancelledError

    for hook in (odd, plain):
        with pytest.raises(RecoverableError, match="was cancelled from inside"):
            await call(hook)


async def test_who_is_cancelled_while_a_hook_runs_cancels_the_hook() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(call(long))
    await begun.wait()
    task.cancel()
    await asyncio.wait_for(ended.wait(), 5)
    with pytest.raises(asyncio.CancelledError):
        await task


def test_operators_read_the_class_of_an_exception_where_its_message_does_not_tell() -> None:
    assert hooks.words(RecoverableError("no water")) == "no water"
    assert hooks.words(ValueError("3")) == "ValueError: 3"
    assert hooks.words(TimeoutError()) == "TimeoutError"


def test_operators_read_the_class_of_an_exception_whose_message_cannot_be_had() -> None:
    class Unspeakable(RecoverableError):
        def __str__(self) -> str:
            raise AttributeError("reason")

    assert hooks.words(Unspeakable()) == "Unspeakable"
