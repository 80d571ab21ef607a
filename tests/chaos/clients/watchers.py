"""Watchers that write down what they are told, and resume wherever they are let."""

import asyncio
import random
from collections.abc import Sequence
from typing import cast

from mds.v1.kind_pb2 import Kind
from mds.v1.position_pb2 import Position
from mds.v1.watch_pb2 import Event, WatchRequest, WatchResponse

from control_units.client import Client, ClientError, HistoryGone, Stream
from tests.chaos.clients.events import told
from tests.chaos.clients.outcomes import reason_of
from tests.chaos.history import LEFT, Closed, Opened, Recorder, Word

Words = Stream[WatchRequest, WatchResponse]
SILENCE_S = 6.0
"""Without a word: one comes every 2 s."""
PAUSE_S = (0.05, 0.5)


class Watcher:
    """
    Args:
        kinds: none: all.
        restless: leaves and comes back although nothing is wrong.
    """

    def __init__(
        self,
        name: str,
        address: str,
        recorder: Recorder,
        *,
        kinds: Sequence[str] = (),
        prefix: str = "",
        restless: bool = False,
    ) -> None:
        self.name = name
        self.position: Position | None = None
        self._kinds = tuple(kinds)
        self._prefix = prefix
        self._client = Client(address, principal=name, program="chaos")
        self._recorder = recorder
        self._restless = restless
        self._random = random.Random(name)
        self._moved = asyncio.Event()

    @property
    def revision(self) -> int:
        """Up to where it has been told everything; -1: it has not begun."""
        return -1 if self.position is None else self.position.revision

    async def reached(self, revision: int) -> None:
        """Returns once it has been told everything up to there."""
        while self.revision < revision:
            self._moved.clear()
            await self._moved.wait()

    async def close(self) -> None:
        await self._client.close()

    async def watch_on(self) -> None:
        """Until it is cancelled."""
        while True:
            reason = await self._watch_once()
            self._recorder.record(Closed(client=self.name, at=self._recorder.now(), reason=reason))
            await asyncio.sleep(self._random.uniform(*PAUSE_S))

    async def _watch_once(self) -> str:
        """One stream; why it has ended."""
        request = WatchRequest(
            kinds=[Kind.Value(each) for each in self._kinds],
            id_prefix=self._prefix,
            position=self.position,
        )
        stream = cast("Words", self._client.watch.Watch(request))
        self._record_opening(stream.address)
        left = self._random.randint(5, 40) if self._restless else -1
        try:
            return await self._listen(stream, left)
        except HistoryGone as gone:
            self.position = None
            return gone.reason
        except TimeoutError:
            self._client.leave(stream.address)
            return f"not a word in {SILENCE_S:.0f} s"
        except ClientError as error:
            return reason_of(error)
        finally:
            stream.cancel()

    async def _listen(self, stream: Words, words: int) -> str:
        """Why it heard no more."""
        events: list[Event] = []
        while words:
            async with asyncio.timeout(SILENCE_S):
                word = await anext(stream, None)
            if word is None:
                return "the server ended it"
            events += word.events
            if word.HasField("position"):  # else the rest of a large revision is to come
                self._take(word.position, events)
                events = []
                words -= 1
        return LEFT

    def _take(self, position: Position, events: Sequence[Event]) -> None:
        self.position = position
        self._recorder.record(
            Word(
                client=self.name, at=self._recorder.now(), revision=position.revision,
                epoch=position.epoch, events=tuple(map(told, events)),
            )
        )  # fmt: skip
        self._moved.set()

    def _record_opening(self, address: str) -> None:
        position = self.position
        self._recorder.record(
            Opened(
                client=self.name,
                at=self._recorder.now(),
                kinds=self._kinds,
                prefix=self._prefix,
                after=-1 if position is None else position.revision,
                epoch=0 if position is None else position.epoch,
                address=address,
            )
        )
