"""One unit server on this host: launched, watched, launched again, ended."""

import asyncio
import signal
import sys
import time
from dataclasses import dataclass
from enum import StrEnum, auto

import structlog

from control_units.agent.folder import AgentFolder
from control_units.agent.launching import LaunchInvalid, UnitServerLaunch
from control_units.agent.pacing import LaunchTurns, Limits, Restarts
from control_units.agent.process import Ending, ProcessMark, UnitServerProcess, Usage

POLL_S = 0.2
LAST_LINES = 12

log = structlog.get_logger(__name__)


class Phase(StrEnum):
    """Where a unit server's process is, for its agent."""

    IDLE = auto()
    """Not launched: it is not declared to start by itself."""
    QUEUED = auto()
    """It waits for its turn."""
    RUNNING = auto()
    PAUSED = auto()
    """It ended, and is launched again when its pause is over."""
    ENDED = auto()
    """It ended, and is not declared to be kept alive."""
    GAVE_UP = auto()
    """It ended too often."""
    STOPPING = auto()


@dataclass(frozen=True, slots=True)
class Standing:
    """What an agent knows of one unit server.

    Attributes:
        pid: of its process; 0: there is none.
        restarts: how often this agent launched it again.
        fault: why it does not run, in words; empty where it runs or never did.
    """

    phase: Phase = Phase.IDLE
    pid: int = 0
    restarts: int = 0
    fault: str = ""


class SupervisedUnitServer:
    """Keeps the process of one unit server as its launch says.

    A changed launch does not end a process that runs: that would stop devices because somebody
    mended a file. It holds from the next launch on. Where nothing runs it is tried at once.
    """

    def __init__(self, id: str, folder: AgentFolder, *, limits: Limits, turns: LaunchTurns) -> None:
        self.id = id
        self.standing = Standing()
        self.log = folder.log(id)
        self._folder = folder
        self._limits = limits
        self._turns = turns
        self._launch: UnitServerLaunch | None = None
        self._process: UnitServerProcess | None = None
        self._restarts = Restarts(limits)
        self._restarted = 0
        self._is_due = False
        self._changed = asyncio.Event()

    def adopt(self, mark: ProcessMark) -> bool:
        """Takes charge of the process that an earlier agent launched, if it still runs."""
        self._process = UnitServerProcess.adopt(mark)
        if self._process is None:
            self._remember(None)
            return False
        self._stands(Phase.RUNNING)
        log.info("unit_server_adopted", unit_server=self.id, pid=mark.pid)
        return True

    def usage(self) -> Usage | None:
        """What its process uses; None: there is none."""
        return self._process.usage() if self._process is not None else None

    def declare(self, launch: UnitServerLaunch | None) -> None:
        """How it is to be launched from now on; None: not by this agent, so that its process is
        ended."""
        if launch == self._launch:
            return
        if launch is not None and self._process is None:
            self._is_due = launch.auto_start
            self._restarts.forget()
        self._launch = launch
        self._changed.set()

    async def run(self) -> None:
        """Returns when it is no longer declared and its process has ended; leaves the process
        alone when it is cancelled."""
        while True:
            self._changed.clear()
            if self._process is not None and self._launch is None:
                await self._stop(self._process)
            elif self._process is not None:
                await self._watch(self._process)
            elif self._launch is None:
                return
            elif self._is_due:
                await self._launch_in_turn()
            else:
                await self._changed.wait()

    async def _launch_in_turn(self) -> None:
        self._stands(Phase.QUEUED)
        await self._turns.turn()
        launch = self._launch
        if launch is None or not self._is_due:
            return
        self._is_due = False
        try:
            self._start(launch)
        except (OSError, LaunchInvalid) as error:
            await self._failed(launch, f"cannot be launched: {error}")

    def _start(self, launch: UnitServerLaunch) -> None:
        path = self._folder.write_configuration(self.id, launch.configuration)
        with self.log.open() as output:
            process = UnitServerProcess.start(
                launch.arguments(path),
                folder=launch.working_directory,
                environment=launch.whole_environment(),
                output=output,
            )
        self._process = process
        # At once: an agent that is killed from here on leaves word of it.
        self._remember(process.mark)
        self._stands(Phase.RUNNING)
        log.info("unit_server_launched", unit_server=self.id, pid=process.pid)

    async def _watch(self, process: UnitServerProcess) -> None:
        """Returns when it has ended, or is no longer declared."""
        while self._launch is not None:
            ending = process.poll()
            self.log.keep_small()
            if self._launch.log_on_console:
                sys.stdout.buffer.write(self.log.news())
                sys.stdout.buffer.flush()
            if ending is not None:
                await self._ended(process, self._launch, ending)
                return
            await self._changes_within(POLL_S)

    async def _ended(
        self, process: UnitServerProcess, launch: UnitServerLaunch, ending: Ending
    ) -> None:
        self._forget(process)
        log.warning(
            "unit_server_ended",
            unit_server=self.id,
            pid=process.pid,
            status=ending.status,
            last_lines=self.log.last_lines(LAST_LINES),
        )
        if launch.keep_alive:
            await self._failed(launch, str(ending))
        else:
            self._stands(Phase.ENDED, fault=str(ending))

    async def _failed(self, launch: UnitServerLaunch, fault: str) -> None:
        """Has it launched again after a pause, unless it failed too often."""
        pause_s = self._restarts.next(time.monotonic()) if launch.keep_alive else None
        if pause_s is None:
            limits = self._limits
            often = f" {limits.restarts} restarts in {limits.window_s:g} s are the most."
            fault = f"{fault}.{often if launch.keep_alive else ''}"
            self._stands(Phase.GAVE_UP, fault=fault)
            log.error("unit_server_given_up", unit_server=self.id, fault=fault)
            return
        self._stands(Phase.PAUSED, fault=fault)
        log.warning("unit_server_paused", unit_server=self.id, fault=fault, pause_s=pause_s)
        self._restarted += 1
        self._is_due = True
        await self._changes_within(pause_s)

    async def _stop(self, process: UnitServerProcess) -> None:
        """TERM, then KILL after the grace, to the whole group."""
        self._stands(Phase.STOPPING)
        process.send(signal.SIGTERM)
        end = time.monotonic() + self._limits.grace_s
        while process.poll() is None:
            if time.monotonic() >= end:
                log.warning("unit_server_killed", unit_server=self.id, pid=process.pid)
                process.send(signal.SIGKILL)
            await asyncio.sleep(POLL_S)
        self._forget(process)
        self._is_due = self._launch is not None and self._launch.auto_start
        self._stands(Phase.IDLE)
        log.info("unit_server_stopped", unit_server=self.id, pid=process.pid)

    def _forget(self, process: UnitServerProcess) -> None:
        # What it started may hold on to the hardware, and must not meet the next process.
        process.send(signal.SIGKILL)
        self._process = None
        self._remember(None)

    def _remember(self, mark: ProcessMark | None) -> None:
        try:
            self._folder.remember(self.id, mark)
        except OSError as error:  # a full disk: no reason to leave the process alone
            log.error("unit_server_process_not_kept", unit_server=self.id, error=str(error))

    async def _changes_within(self, seconds: float) -> None:
        """Waits for another declaration, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    def _stands(self, phase: Phase, *, fault: str = "") -> None:
        pid = self._process.pid if self._process is not None else 0
        self.standing = Standing(phase, pid, self._restarted, fault)
