"""What grpc.aio alone can do for many streams: writes the same bytes to all of them. Prints its
port; for each line `{"message": hex, "times": n}` of its input, all streams get it n times, as fast
as it goes. Ends with its input."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import uvloop

METHOD = "/bare.Bare/Watch"


class Said:
    """All that was said so far, and a bell for what comes."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.bell = asyncio.Event()

    def add(self, messages: list[bytes]) -> None:
        self.messages += messages
        self.bell.set()
        self.bell = asyncio.Event()


async def serve() -> None:
    said = Said()

    async def watch(_: bytes, __: Any) -> AsyncIterator[bytes]:
        yield b"\0"
        place = len(said.messages)
        while True:
            while place < len(said.messages):
                yield said.messages[place]
                place += 1
            await said.bell.wait()

    server = grpc.aio.server()
    handler: Any = grpc.unary_stream_rpc_method_handler(watch)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bare.Bare", {"Watch": handler}),)
    )
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while line := await lines.readline():
        asked = json.loads(line)
        said.add([bytes.fromhex(asked["message"])] * asked["times"])
    await server.stop(0)


if __name__ == "__main__":
    uvloop.run(serve())
