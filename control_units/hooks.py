"""Calling what authors wrote: with a deadline, and without trusting it."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from control_units.faults import FatalError, RecoverableError

Ended = asyncio.Future[Any]

# How long a cancelled hook may take to clean up.
_CLEAN_UP_S = 1.0


class StillRunning(FatalError):
    """A hook did not end in time and could not be ended: nobody may touch its hardware.

    Attributes:
        ended: done when it has ended after all.
    """

    def __init__(self, name: str, deadline: float, ended: Ended) -> None:
        super().__init__(f"{name} did not end within {deadline:g} s and is still running.")
        self.ended = ended


async def call(
    hook: Callable[..., Any],
    *arguments: Any,
    deadline: float,
    slots: asyncio.Semaphore,
    watch: AbstractContextManager[None] | None = None,
) -> None:
    """Calls a hook and waits for its end.

    An `async def` hook runs on the loop; a plain one in a thread of its own, since a hook that
    hangs would keep a pool's thread from the neighbours for ever.

    Args:
        deadline: seconds.
        slots: how many plain hooks may run at once in this process; one that hangs is no longer
            counted after its deadline.
        watch: is entered while the hook runs.

    Raises:
        RecoverableError: an async hook did not end in time and was cancelled.
        StillRunning: the hook did not end in time.
        Exception: whatever the hook raised; what is none becomes a RecoverableError.
    """
    name = getattr(hook, "__name__", "hook")
    if inspect.iscoroutinefunction(hook):
        with watch or nullcontext():
            await _on_loop(hook, arguments, name, deadline)
    else:
        async with slots:
            with watch or nullcontext():
                await _in_thread(hook, arguments, name, deadline)


async def _on_loop(
    hook: Callable[..., Any], arguments: tuple[Any, ...], name: str, deadline: float
) -> None:
    # A task of its own, waited for from outside: a hook that raises CancelledError by itself, or
    # that ignores being cancelled, must not be taken for its runner.
    task = asyncio.ensure_future(_without_exit(hook, arguments, name))
    try:
        await asyncio.wait({task}, timeout=deadline)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_CLEAN_UP_S)
            if not task.done():
                raise StillRunning(name, deadline, task)
            raise RecoverableError(f"{name} did not end within {deadline:g} s and was cancelled.")
    finally:
        task.cancel()
    raised = asyncio.CancelledError() if task.cancelled() else task.exception()
    if raised is not None:
        raise _error_of(name, raised)


async def _without_exit(hook: Callable[..., Any], arguments: tuple[Any, ...], name: str) -> None:
    try:
        await hook(*arguments)
    except SystemExit as ended:
        # It would leave the loop, and take the whole process with it.
        raise _error_of(name, ended) from ended


async def _in_thread(
    hook: Callable[..., Any], arguments: tuple[Any, ...], name: str, deadline: float
) -> None:
    loop = asyncio.get_running_loop()
    done: Ended = loop.create_future()

    def finish(result: Any, error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def work() -> None:
        result: Any = None
        error: Exception | None = None
        try:
            result = hook(*arguments)
        except BaseException as raised:  # noqa: BLE001  # handed on to the loop, whatever it is
            error = _error_of(name, raised)
        if not loop.is_closed():
            loop.call_soon_threadsafe(finish, result, error)

    # Daemon: a hook that hangs must not keep the process from ending.
    threading.Thread(target=work, name=name, daemon=True).start()
    await asyncio.wait({done}, timeout=deadline)
    if not done.done():
        # Its end interests; what it then raises does not.
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        raise StillRunning(name, deadline, done)
    result = done.result()
    if inspect.isawaitable(result):  # a coroutine function behind a decorator
        await _on_loop(lambda: result, (), name, deadline)


def _error_of(name: str, raised: BaseException) -> Exception:
    """What a hook has raised, as an error of its own: what is no Exception would end whoever waits
    for the hook, as CancelledError would if it came out of an `asyncio.run` in a thread."""
    if isinstance(raised, SystemExit):
        return RecoverableError(f"{name} called sys.exit({raised.code!r}).")
    if isinstance(raised, asyncio.CancelledError):
        return RecoverableError(f"{name} was cancelled from inside.")
    if isinstance(raised, Exception) and not isinstance(raised, StopIteration):
        return raised  # no future takes a StopIteration
    return RecoverableError(f"{name} raised {words(raised)}.")


def words(error: BaseException) -> str:
    """What an operator reads of an exception: its message, with its class where that tells."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  # its author wrote that, too
        message = ""
    if isinstance(error, RecoverableError | FatalError) and message:
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def is_fatal(error: BaseException) -> bool:
    """Whether it leads to FATAL_ERROR."""
    return isinstance(error, FatalError)
