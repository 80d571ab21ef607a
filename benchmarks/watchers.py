"""Many streams that are read as fast as they come, in a process of their own.

Says `{"ready": true}` once each stream has had its first message. Then, for each line `{"events": n}`,
says `{"armed": true}`, and when each stream has had n events more: how many messages it took, one
message of the first stream, and when each stream had its last event, in s of the clock that all
processes share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import Any

import grpc
import uvloop

CHANNELS = 8
MARK = '"an event"'
"""Value of the variables that are made, JSON: it stands once in each event."""
EVENT = MARK.encode()


class Watchers:
    """All streams."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._ready = 0
        self._left: list[int] = []
        self._last: list[float] = []
        self._messages = 0
        self._sample = b""
        self.waiting = asyncio.Event()
        self.done = asyncio.Event()

    def arm(self, events: int) -> None:
        self._left = [events] * self.count
        self._last = []
        self._messages = 0
        self.done.clear()

    async def read(self, number: int, stream: Any) -> None:
        async for message in stream:
            if events := message.count(EVENT):
                self._note(number, events, message)
            elif not self.waiting.is_set():
                self._ready += 1
                if self._ready == self.count:
                    self.waiting.set()

    def _note(self, number: int, events: int, message: bytes) -> None:
        self._messages += 1
        self._left[number] -= events
        if number == 0:
            self._sample = message
        if self._left[number] == 0:
            self._last.append(time.monotonic())
            if len(self._last) == self.count:
                self.done.set()

    def told(self) -> dict[str, Any]:
        return {
            "messages": self._messages,
            "last": self._last,
            "sample": self._sample.hex(),
        }


async def main(port: int, method: str, request: bytes, count: int) -> None:
    address, options = f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(address, options=options) for _ in range(CHANNELS)]
    watchers = Watchers(count)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    async with asyncio.TaskGroup() as tasks:
        reading = []
        for number in range(count):
            call: Any = channels[number % CHANNELS].unary_stream(method)
            reading.append(tasks.create_task(watchers.read(number, call(request))))
        await watchers.waiting.wait()
        print(json.dumps({"ready": True}), flush=True)
        while line := await lines.readline():
            watchers.arm(json.loads(line)["events"])
            print(json.dumps({"armed": True}), flush=True)
            await watchers.done.wait()
            print(json.dumps(watchers.told()), flush=True)
        for task in reading:
            task.cancel()
    for channel in channels:
        await channel.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watchers", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("method")
    parser.add_argument("count", type=int)
    parser.add_argument("request", nargs="?", default="", help="in hexadecimal")
    given = parser.parse_args()
    uvloop.run(main(given.port, given.method, bytes.fromhex(given.request), given.count))
