"""A wire between a client and a server that a test can cut without either noticing."""

import asyncio
from typing import Self


class Way:
    """One of the two directions; what comes while it is cut is held back until it is mended."""

    def __init__(self) -> None:
        self._whole = asyncio.Event()
        self._whole.set()
        self.is_holding = False

    def cut(self) -> None:
        self._whole.clear()
        self.is_holding = False

    def mend(self) -> None:
        self._whole.set()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.is_holding = not self._whole.is_set()
            await self._whole.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


class Wire:
    """Passes on what comes on a port of its own, until it is cut: then connections stay open
    and nothing comes through."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.up = Way()
        self.down = Way()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    def cut(self) -> None:
        self.up.cut()
        self.down.cut()

    def mend(self) -> None:
        self.up.mend()
        self.down.mend()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self._target.rpartition(":")
        try:
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.up.pass_on(reader, far_writer))
                tasks.create_task(self.down.pass_on(far_reader, writer))
        except* OSError:
            pass  # one side has gone, so the other goes
        finally:
            writer.close()
            far_writer.close()
