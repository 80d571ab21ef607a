"""The client for those who do not wait asynchronously: scripts, notebooks.

    from control_units.client import SyncClient

    with SyncClient() as client:
        for unit in client.control_units.list(id_prefix="DAFNE/"):
            ...

Everything that `Client` has is here, too, with the same words, without `async` and `await`:
nothing is written twice. The types stand in `blocking.pyi`, which `make generate` makes.
"""

import asyncio
import inspect
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import update_wrapper
from typing import Any, Self

from control_units.client.calls import Stream, UnaryCall
from control_units.client.changes import Changes
from control_units.client.client import Client
from control_units.client.collections import Reading
from control_units.client.loop_thread import LoopThread
from control_units.client.mirror import Mirror
from control_units.client.operations import RunningOperation

_FACED = (Mirror, Reading, RunningOperation, Stream)
_MOST_AHEAD = 500
"""So many things that are there already are fetched together: each way to the loop takes time."""


class Blocking:
    """Stands before something asynchronous: what has to be awaited there returns when it is done.

    Its thread does the waiting: it works where a loop runs already, as in a notebook. A function
    that is given to it (an edit, a callback) is called in that thread.
    """

    def __init__(self, target: Any, loop: LoopThread) -> None:
        self._target = target
        self._loop = loop
        self._iterator: BlockingIterator | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        # Looked up here: it only reads, and each way to the loop takes time.
        face = _face(getattr(self._target, name), self._loop)
        if isinstance(face, Blocking):
            vars(self)[name] = face
        return face

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._target) if not name.startswith("_")]

    def __repr__(self) -> str:
        return f"<blocking {self._target!r}>"

    def __enter__(self) -> Self:
        self._loop.run(self._target.__aenter__())
        return self

    def __exit__(self, *raised: object) -> None:
        self._loop.run(self._target.__aexit__(*raised))

    def __len__(self) -> int:
        return self._loop.call(len, self._target)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return self._loop.call(lambda: item in self._target)

    def __getitem__(self, key: Any) -> Any:
        return self._loop.call(lambda: self._target[key])

    def __iter__(self) -> Iterator[Any]:
        if hasattr(self._target, "__anext__"):
            return self._only_iterator()
        if hasattr(self._target, "__aiter__"):
            return BlockingIterator(self._loop.call(aiter, self._target), self._loop)
        return self._loop.call(iter, self._target)

    def __next__(self) -> Any:
        return next(self._only_iterator())

    def _only_iterator(self) -> "BlockingIterator":
        """One for all loops over it: what it has fetched ahead is for whoever asks next."""
        if self._iterator is None:
            self._iterator = BlockingIterator(self._target, self._loop)
        return self._iterator


class BlockingChanges(Blocking):
    """Its position is after the word that was handed out last, not after those fetched ahead."""

    def __init__(self, target: Changes, loop: LoopThread) -> None:
        super().__init__(target, loop)
        self.position = target.position

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        word = super().__next__()
        self.position = word.position
        return word


class BlockingIterator:
    """What an asynchronous iterator gives, one after the other."""

    def __init__(self, source: Any, loop: LoopThread) -> None:
        self._source = source
        self._loop = loop
        self._ahead: deque[Any] = deque()
        self._next: asyncio.Future[Any] | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if not self._ahead:
            self._loop.run(self._fetch())
        if not self._ahead:
            raise StopIteration
        return _face(self._ahead.popleft(), self._loop)

    def close(self) -> None:
        """Stops before its end."""
        self._loop.run(self._stop())

    async def _fetch(self) -> None:
        """Waits for the next one, and takes those with it that need no waiting."""
        while len(self._ahead) < _MOST_AHEAD:
            if self._next is None:
                self._next = asyncio.ensure_future(_next_of(self._source))
                # Nobody may ask for what was fetched ahead, also where that has failed.
                self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
            if self._ahead:
                await asyncio.sleep(0)
                if not self._next.done():
                    return
            try:
                self._ahead.append(await asyncio.shield(self._next))
            except (StopAsyncIteration, _Ended):
                self._next = None
                return
            except Exception:  # whatever the stream ends with
                if not self._ahead:
                    self._next = None
                    raise
                return  # those before it first; it is raised when its turn comes
            self._next = None

    async def _stop(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
        for name in ("aclose", "close"):
            if (close := getattr(self._source, name, None)) is not None:
                await close()
                return


class _Ended(Exception):
    """The end of an iterator; a task cannot end with StopAsyncIteration's kin in all releases."""


async def _next_of(source: Any) -> Any:
    try:
        return await anext(source)
    except StopAsyncIteration:
        raise _Ended from None


def _face(value: Any, loop: LoopThread) -> Any:
    """What others see of something that belongs to the loop."""
    if isinstance(value, Changes):
        return BlockingChanges(value, loop)
    if isinstance(value, _FACED) or type(value).__name__.endswith("Stub"):
        return Blocking(value, loop)
    if inspect.isasyncgen(value):
        return BlockingIterator(value, loop)
    if inspect.isroutine(value) or isinstance(value, UnaryCall):
        return _blocking(value, loop)
    return value


def _blocking(function: Callable[..., Any], loop: LoopThread) -> Callable[..., Any]:
    async def work(arguments: Any, words: Any) -> Any:
        result = function(*arguments, **words)
        return await result if inspect.isawaitable(result) else result

    def call(*arguments: Any, **words: Any) -> Any:
        return _face(loop.run(work(arguments, words)), loop)

    if inspect.isroutine(function):
        update_wrapper(call, function)
    return call


class SyncClient(Blocking):
    """`Client` without `async` and `await`; its arguments are those of `Client`."""

    def __init__(
        self,
        address: str | Sequence[str] | None = None,
        *,
        principal: str | None = None,
        token: str | None = None,
        program: str = "control_units",
        timeout: float = 20.0,
    ) -> None:
        loop = LoopThread()

        def client() -> Client:
            return Client(
                address, principal=principal, token=token, program=program, timeout=timeout
            )

        try:
            super().__init__(loop.call(client), loop)
        except BaseException:  # also an interrupt: a thread must not be left behind
            loop.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends all calls under way, lets go of the connections, and ends its thread."""
        if self._loop.close.alive:
            self._loop.run(self._target.close())
            self._loop.close()
