"""A database node that knows as much of the protocol as the load balancer asks for."""

import asyncio
import contextlib
import sys

from tests.stages.ports import free_port

GREETING = b"\x0a 10.11-MariaDB"
WELCOME = b"\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"


class DatabaseNode:
    """Serves as long as it is up; counts who stays connected.

    Attributes:
        checks: so often it was asked whether it serves.
        last_check: from then on it knows that it has lost the others.
        clients: so many have asked it for anything else.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.checks, self.last_check = 0, sys.maxsize
        self.clients = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)

    async def down(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            writer.write(GREETING)
            while said := await reader.read(4096):
                if b"SELECT" in said:
                    self.checks += 1
                    does_serve = self.checks <= self.last_check
                    writer.write(b"node-serves" if does_serve else b"node-waits")
                elif b"who" in said:
                    self.clients += 1
                    writer.write(f" {self.port}".encode())
                elif b"balancer" in said:
                    writer.write(WELCOME)
        self._writers.discard(writer)
        writer.close()
