"""A thread with an event loop, for those who have none, or have one that runs already."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Does what is asynchronous for other threads. Ends with `close`, or with the program."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=_serve, args=(self._loop,), name="control_units.client", daemon=True
        )
        self._thread.start()
        # Not by the destructor: what is alive at the end of the program has to be ended, too.
        self.close = weakref.finalize(self, _end, self._loop, self._thread)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, which another thread waits for; interrupted, it is cancelled.

        Raises:
            RuntimeError: it is closed, or the loop's own thread would wait for itself.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("A callback runs in the client's own thread: it cannot wait for it.")
        if not self.close.alive:
            work.close()
            raise RuntimeError("The client is closed.")
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()  # of no effect but for a wait that was interrupted

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """The result of a function that is called in the loop's thread."""

        async def work() -> T:
            return function(*arguments)

        return self.run(work())


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()


def _end(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _end_tasks() -> None:
    loop = asyncio.get_running_loop()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
