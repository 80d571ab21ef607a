"""Changes as they happen, whichever server is there to tell them."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

from mds.v1.kind_pb2 import Kind
from mds.v1.position_pb2 import Position
from mds.v1.view_pb2 import View
from mds.v1.watch_pb2 import Event, WatchRequest, WatchResponse
from mds.v1.watch_pb2_grpc import WatchStub

from control_units.client.backoff import Backoff
from control_units.client.calls import Caller, FailoverChannel
from control_units.client.errors import ClientError, Unreachable

SILENCE_S = 10.0
"""Without a word on a watch: a server that is well says some every 2 s."""


class Changes:
    """Changes after a position, in order, each once, none missed; goes on at another server when
    one ends, drains, or falls silent.

    `async for word in changes` gives what a server says: changes of whole revisions, with the
    position after them, and bookmarks, which have none. To stop before its end, `close` it, or
    use it in `async with`.

    Attributes:
        position: everything that passes, up to here, has been given; None: it has not begun.
        failure: why no server tells now; None: one does, as far as is known.
    """

    position: Position | None
    failure: ClientError | None

    def __init__(
        self,
        caller: Caller,
        kinds: Sequence[Kind.ValueType],
        *,
        id_prefix: str = "",
        filter: str = "",
        after: Position | None = None,
        view: View.ValueType = View.VIEW_FULL,
    ) -> None:
        self._request = WatchRequest(kinds=kinds, id_prefix=id_prefix, filter=filter, view=view)
        self._caller = caller
        self._stream: Any = None
        self._backoff = Backoff(first=0.1, longest=3.0)
        self.position = after
        self.failure = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stops."""
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WatchResponse:
        """What is said next.

        Raises:
            HistoryGone: what follows its position is no longer kept, or was of another store.
            Refused: what is asked for cannot be watched.
        """
        while True:
            try:
                word = await self._whole_word()
            except asyncio.CancelledError:
                await self.close()  # gRPC ends a call whose reader is cancelled; the next is new
                raise
            except ClientError as failure:
                await self.close()
                self.failure = failure
                if not failure.is_transient:
                    raise
                await asyncio.sleep(self._backoff.next())
                continue
            self.failure = None
            self._backoff.reset()
            self.position = word.position
            return word

    async def _whole_word(self) -> WatchResponse:
        """The next word up to whose position all is told. A large revision comes in parts; those
        before its last have the position before it."""
        events: list[Event] = []
        while True:
            word = await self._word()
            is_one = not events
            events += word.events
            is_whole = not events or events[-1].revision <= word.position.revision
            if is_whole and word.HasField("position"):
                return word if is_one else WatchResponse(position=word.position, events=events)

    async def _word(self) -> WatchResponse:
        if self._stream is None:
            self._stream = self._open()
        try:
            async with asyncio.timeout(SILENCE_S):
                word: WatchResponse | None = await anext(self._stream, None)
        except TimeoutError:
            address = self._stream.address
            self._caller.channels.leave(address)
            raise Unreachable(address, f"not a word in {SILENCE_S:.0f} s.") from None
        if word is None:
            raise Unreachable(self._stream.address, "it has ended the watch.")
        return word

    def _open(self) -> Any:
        self._request.ClearField("position")
        if self.position is not None:
            self._request.position.CopyFrom(self.position)
        channel: Any = FailoverChannel(self._caller)
        stub: Any = WatchStub(channel)
        return stub.Watch(self._request)
