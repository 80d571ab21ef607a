"""The process of one service: started, kept alive as its container would be, and broken."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path

from deploy.processes.images import Container
from deploy.processes.network import inside

# A service that ends by itself comes back after this, in s.
PAUSE_S = 0.5
HEALTH_EVERY_S = 0.25
HEALTH_S = 3.0


class Failed(Exception):
    """A service does not come up; the message has the end of its log."""


class ContainerProcess:
    """At most one process at a time."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.name = container.service.name
        self.restarts = 0
        self._process: Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """
        Raises:
            Failed: it does not run.
        """
        if self._process is None or self._process.returncode is not None:
            raise Failed(f"{self.name} does not run: {self.last_lines()}")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Starts it, and goes on starting it when it ends."""
        self.container.prepare()
        await self._launch()
        self._keeping = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def run_once(self, *, within_s: float) -> None:
        """Starts it until it has ended with 0.

        Raises:
            Failed: it has not, after so long.
        """
        self.container.prepare()
        try:
            async with asyncio.timeout(within_s):
                while True:
                    process = await self._launch()
                    if await process.wait() == 0:
                        return
                    await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            raise Failed(
                f"{self.name} has not succeeded after {within_s:.0f} s: {self.last_lines()}"
            ) from None

    async def until_healthy(self, *, within_s: float) -> None:
        """
        Raises:
            Failed: it is not, after so long.
        """
        try:
            async with asyncio.timeout(within_s):
                while not await self.is_healthy():  # noqa: ASYNC110  # nobody tells us
                    await asyncio.sleep(HEALTH_EVERY_S)
        except TimeoutError:
            raise Failed(
                f"{self.name} does not serve after {within_s:.0f} s: {self.last_lines()}"
            ) from None

    async def is_healthy(self) -> bool:
        """What its health check says; it runs where the service is."""
        if not self.container.health:
            return self.is_running
        check = await asyncio.create_subprocess_exec(
            *inside(self.name), *self.container.health,
            env=self.container.environment, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(HEALTH_S):
                return await check.wait() == 0
        except TimeoutError:
            check.kill()
            await check.wait()
            return False

    async def stop(self) -> None:
        """SIGTERM, to it alone as from a container engine, and SIGKILL for who has not ended after
        its grace."""
        await self._let_go()
        if self._process is None or self._process.returncode is not None:
            return
        self._signal(signal.SIGCONT)
        self._process.terminate()
        try:
            async with asyncio.timeout(self.container.service.grace_s):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()
        self._signal(signal.SIGKILL)  # what it started and left

    async def kill(self, *, stays_down: bool = False) -> None:
        """SIGKILL, as a power cut would; it comes back by itself, unless it stays down."""
        if stays_down:
            await self._let_go()
        process = self._process
        self._signal(signal.SIGKILL)
        if process is not None:
            await process.wait()

    def pause(self) -> None:
        """SIGSTOP: its connections stay open, and nobody is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def last_lines(self, count: int = 8) -> str:
        lines = _tail(self.container.log).splitlines()[-count:]
        return "\n  ".join(["", *lines])

    async def _launch(self) -> Process:
        with self.container.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *inside(self.name), *self.container.command,
                env=self.container.environment,
                cwd=self.container.log.parent,
                stdin=DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        return self._process

    async def _keep(self) -> None:
        while True:
            assert self._process is not None
            await self._process.wait()
            self._signal(signal.SIGKILL)  # its children, as a container would end with it
            await asyncio.sleep(PAUSE_S)
            self.restarts += 1
            await self._launch()

    async def _let_go(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            self._keeping = None

    def _signal(self, number: signal.Signals) -> None:
        """To the process and all that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


def _tail(path: Path, size: int = 8_192) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - size))
        return log.read().decode(errors="replace")
