"""Watchers that write down what they see, and come back whatever happens to them."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import aiohttp
import grpc
from google.protobuf.json_format import MessageToDict
from mds.v1.kind_pb2 import Kind
from mds.v1.position_pb2 import Position
from mds.v1.watch_pb2 import WatchRequest
from mds.v1.watch_pb2_grpc import WatchStub

from tests.stages.replica import Replica
from tests.watch.records import Connection, Heard, Record, Wanted

SILENCE_S = 6.0
"""A watcher that hears nothing for three bookmarks goes elsewhere."""
PAUSE_S = 0.1
PATIENCE = ("DRAINING", "DATABASE_UNAVAILABLE", "WATCHER_TOO_SLOW", "TOO_BUSY", "SCHEMA_UNKNOWN")
"""Reasons after which a watcher simply comes back."""
Message = Mapping[str, Any]
Face = Callable[[Replica, Wanted, Position | None], AsyncGenerator[Message, None]]


class Ended(Exception):
    """A stream has ended; the text says why."""


async def over_grpc(
    replica: Replica, wanted: Wanted, after: Position | None
) -> AsyncGenerator[Message, None]:
    request = WatchRequest(
        kinds=[Kind.Value(each) for each in sorted(wanted.kinds)],
        id_prefix=wanted.prefix,
        filter=wanted.filter,
        position=after,
    )
    async with grpc.aio.insecure_channel(replica.address) as channel:
        stub: Any = WatchStub(channel)
        stream = stub.Watch(request)
        try:
            async for message in stream:
                yield MessageToDict(message)
        except grpc.aio.AioRpcError as error:
            raise Ended(f"{error.code().name} {error.details()}") from None
        finally:
            stream.cancel()


async def over_sse(
    replica: Replica, wanted: Wanted, after: Position | None
) -> AsyncGenerator[Message, None]:
    """Goes on by nothing but the id of the last event, as browsers do."""
    parameters = [("kinds", each) for each in sorted(wanted.kinds)]
    parameters += [("idPrefix", wanted.prefix), ("filter", wanted.filter)]
    headers = {"Accept": "text/event-stream"}
    if after is not None:
        headers["Last-Event-ID"] = f"{after.store_id}/{after.epoch}/{after.revision}"
    url = f"{replica.http}/v1/watch"
    given = [each for each in parameters if each[1]]
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=2)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, read_bufsize=2**22) as http,
            http.get(url, params=given, headers=headers) as answer,
        ):
            if answer.status != 200:
                raise Ended(await answer.text())
            event = ""
            async for raw in answer.content:
                word, _, value = raw.decode().rstrip("\n").partition(": ")
                if word == "event":
                    event = value
                elif word == "data" and event == "error":
                    raise Ended(value)
                elif word == "data":
                    yield json.loads(value)
    except aiohttp.ClientError as error:
        raise Ended(f"{type(error).__name__} {error}") from None


class Watcher:
    """One watcher, for as long as a round lasts.

    Attributes:
        strange: how streams ended that should not have ended so.
    """

    def __init__(
        self,
        face: Face,
        replicas: list[Replica],
        wanted: Wanted,
        *,
        after: Position | None,
        restless: bool,
        rng: random.Random,
    ) -> None:
        self.face = face
        self.record = Record(wanted)
        self.strange: list[str] = []
        self._replicas = replicas
        self._after = after
        self._restless = restless
        self._rng = rng

    def __str__(self) -> str:
        return f"{self.face.__name__}, {self.record.wanted}"

    @property
    def position(self) -> int:
        return self.record.position or 0 if self.record.connections else 0

    async def run(self) -> None:
        """Watches until it is cancelled, at one replica after the other."""
        place = self._rng.randrange(len(self._replicas))
        while True:
            connection = Connection(None if self._after is None else self._after.revision)
            self.record.connections.append(connection)
            try:
                await self._listen(self._replicas[place % len(self._replicas)], connection)
            except Ended as ended:
                connection.ended = str(ended)
                if "Refused" in connection.ended or self._is_strange(connection.ended):
                    self.strange.append(connection.ended)
            except TimeoutError:
                connection.ended = "silence"
            finally:
                if not connection.heard:
                    self.record.connections.remove(connection)
            place += 1
            await asyncio.sleep(PAUSE_S)

    @staticmethod
    def _is_strange(why: str) -> bool:
        is_refusal = any(word in why for word in ("HISTORY_", "INVALID_", "INTERNAL", "UNKNOWN "))
        return is_refusal and not any(word in why for word in PATIENCE)

    async def _listen(self, replica: Replica, connection: Connection) -> None:
        left = self._rng.randint(1, 12) if self._restless else -1
        stream = self.face(replica, self.record.wanted, self._after)
        async with aclosing(stream) as messages:
            while left:
                async with asyncio.timeout(SILENCE_S):
                    message = await anext(messages, None)
                if message is None:
                    raise Ended("it ended")
                connection.heard.append(Heard.of(message))
                self._after = Position(
                    store_id=message["position"]["storeId"],
                    epoch=int(message["position"].get("epoch", 0)),
                    revision=connection.heard[-1].position,
                )
                left -= 1
        connection.ended = "it had enough"


@contextlib.asynccontextmanager
async def watching(watchers: list[Watcher]) -> AsyncGenerator[None, None]:
    """All of them watch."""
    tasks = [asyncio.create_task(each.run()) for each in watchers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for each in ended:
        if isinstance(each, Exception):
            raise each


async def read_all(replica: Replica, begin: Position, until: int) -> tuple[Any, ...]:
    """Everything that happened, from the very beginning, in one stream."""
    found: list[Heard] = []
    async with (
        asyncio.timeout(60),
        aclosing(over_grpc(replica, Wanted(), begin)) as messages,
    ):
        async for message in messages:
            found.append(Heard.of(message))
            if found[-1].position >= until:
                break
    return tuple(event for heard in found for event in heard.events)
