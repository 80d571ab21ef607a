"""One unit server on this host: launched, watched, launched again, ended."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from control_units.agent.folder import AgentFolder, Remembered
from control_units.agent.holders import Holder, Holders
from control_units.agent.launching import LaunchInvalid, UnitServerLaunch
from control_units.agent.pacing import Limits, Restarts
from control_units.agent.process import Ending, ProcessMark, UnitServerProcess
from control_units.agent.standing import ProcessState, Standing
from control_units.agent.turns import LaunchTurns
from control_units.client import traces

POLL_S = 0.2
LAST_LINES = 12

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What all unit servers of an agent share.

    Attributes:
        on_change: called when one of them stands otherwise.
    """

    folder: AgentFolder
    limits: Limits
    turns: LaunchTurns
    holders: Holders
    on_change: Callable[[], None]


class SupervisedUnitServer:
    """Keeps the process of one unit server as its launch says.

    A changed launch does not end a process that runs: that would stop devices because somebody
    mended a file. It holds from the next launch on; only an order ends a process. Where nothing
    runs it is tried at once.
    """

    def __init__(self, id: str, means: Means) -> None:
        self.id = id
        self.standing = Standing()
        self.log = means.folder.log(id)
        self._means = means
        self._launch: UnitServerLaunch | None = None
        self._process: UnitServerProcess | None = None
        self._restarts = Restarts(means.limits)
        self._is_due = False
        self._changed = asyncio.Event()

    def adopt(self, left: Remembered) -> bool:
        """Takes charge of the process that an earlier agent launched, if it still runs."""
        self._process = UnitServerProcess.adopt(left.mark)
        if self._process is None:
            self._remember(None)
            return False
        self._stands(
            ProcessState.RUNNING,
            started=time.monotonic() - left.mark.age_s(),
            reached_restart_count=left.restart_count,
        )
        log.info("unit_server_adopted", unit_server=self.id, pid=left.mark.pid)
        return True

    def declare(self, launch: UnitServerLaunch | None) -> None:
        """How it is to be launched from now on; None: not by this agent, so that its process is
        ended."""
        if launch == self._launch:
            return
        if launch is not None and self._process is None:
            self._is_due = launch.is_wanted
            self._restarts.forget()
        self._launch = launch
        if launch is not None and launch.restart_count < self.standing.reached_restart_count:
            self._reach(launch.restart_count)  # it was set back by hand
        self._changed.set()

    async def run(self) -> None:
        """Returns when it is no longer declared and its process has ended; leaves the process
        alone when it is cancelled."""
        while True:
            self._changed.clear()
            if self._process is not None and self._must_end():
                await self._stop(self._process)
            elif self._process is not None:
                await self._watch(self._process)
            elif self._launch is None:
                return
            elif self._is_due:
                await self._launch_in_turn(self._launch)
            else:
                self._stands_unlaunched(self._launch)
                await self._changed.wait()

    def _must_end(self) -> bool:
        launch = self._launch
        return (
            launch is None
            or launch.is_stopped
            or launch.restart_count > self.standing.reached_restart_count
        )

    def _stands_unlaunched(self, launch: UnitServerLaunch) -> None:
        """What was ended or given up is not to be tried any more when it has been stopped."""
        self._reach(launch.restart_count)
        if launch.is_stopped and self.standing.state is not ProcessState.IDLE:
            self._stands(ProcessState.IDLE)

    async def _launch_in_turn(self, launch: UnitServerLaunch) -> None:
        self._stands(ProcessState.QUEUED, fault=self.standing.fault)
        await self._means.turns.turn(launch.level, self.id)
        if self._launch is None or not self._is_due:
            return
        holder = await self._means.holders.holder_of(self.id)
        if holder is not None:
            await self._wait_for(holder)
            return
        # By now it may be declared otherwise.
        launched = self._launch
        if launched is None or not self._is_due:
            return
        self._is_due = False
        try:
            self._start(launched)
        except (OSError, LaunchInvalid) as error:
            await self._failed(launched, f"cannot be launched: {error}")

    async def _wait_for(self, holder: Holder) -> None:
        """Returns when it has ended, or this is no longer to be launched."""
        log.warning("unit_server_held", unit_server=self.id, holder=str(holder))
        found: Holder | None = holder
        while found is not None and self._launch is not None and self._is_due:
            self._stands(ProcessState.WAITING, fault=str(found))
            await self._changes_within(self._means.limits.look_again_s)
            found = await self._means.holders.holder_of(self.id)

    def _start(self, launch: UnitServerLaunch) -> None:
        path = self._means.folder.write_configuration(self.id, launch.configuration)
        with traces.part("UnitServer.launch", unit_server=self.id), self.log.open() as output:
            process = UnitServerProcess.start(
                launch.arguments(path),
                folder=launch.working_directory,
                environment=launch.whole_environment(),
                output=output,
            )
        self._process = process
        # At once: an agent that is killed from here on leaves word of it.
        self._remember(process.mark, restart_count=launch.restart_count)
        self._stands(
            ProcessState.RUNNING,
            started=time.monotonic(),
            reached_restart_count=launch.restart_count,
        )
        log.info("unit_server_launched", unit_server=self.id, pid=process.pid)

    async def _watch(self, process: UnitServerProcess) -> None:
        """Returns when it has ended, or is to end."""
        while (launch := self._launch) is not None and not self._must_end():
            ending = process.poll()
            self.log.keep_small()
            if launch.log_on_console:
                sys.stdout.buffer.write(self.log.news())
                sys.stdout.buffer.flush()
            if ending is not None:
                await self._ended(process, launch, ending)
                return
            await self._changes_within(POLL_S)

    async def _ended(
        self, process: UnitServerProcess, launch: UnitServerLaunch, ending: Ending
    ) -> None:
        self._forget(process)
        lines = self.log.last_lines(LAST_LINES)
        status = ending.status
        log.warning(
            "unit_server_ended",
            unit_server=self.id,
            pid=process.pid,
            status=status,
            last_lines=lines,
        )
        last = next((line for line in reversed(lines) if line.strip()), "")
        self.standing = replace(self.standing, exit_status=status, last_line=last)
        if launch.keep_alive:
            await self._failed(launch, str(ending))
        else:
            self._stands(ProcessState.ENDED, fault=str(ending))

    async def _failed(self, launch: UnitServerLaunch, fault: str) -> None:
        """Has it launched again after a pause, unless it failed too often."""
        now = time.monotonic()
        pause_s = self._restarts.next(now) if launch.keep_alive else None
        if pause_s is None:
            limits = self._means.limits
            often = f" {limits.restarts} restarts in {limits.window_s:g} s are the most."
            fault = f"{fault}.{often if launch.keep_alive else ''}"
            self._stands(ProcessState.GAVE_UP, fault=fault)
            log.error("unit_server_given_up", unit_server=self.id, fault=fault)
            return
        self.standing = replace(self.standing, restarts=self.standing.restarts + 1)
        self._stands(ProcessState.BACKING_OFF, fault=fault, next_try=now + pause_s)
        log.warning("unit_server_paused", unit_server=self.id, fault=fault, pause_s=pause_s)
        self._is_due = True
        await self._changes_within(pause_s)

    async def _stop(self, process: UnitServerProcess) -> None:
        """TERM, then KILL after the grace, to the whole group."""
        self._stands(ProcessState.STOPPING)
        process.send(signal.SIGTERM)
        end = time.monotonic() + self._means.limits.grace_s
        with traces.part("UnitServer.stop", unit_server=self.id):
            while process.poll() is None:
                if time.monotonic() >= end:
                    log.warning("unit_server_killed", unit_server=self.id, pid=process.pid)
                    traces.happens("killed")
                    process.send(signal.SIGKILL)
                await asyncio.sleep(POLL_S)
        self._forget(process)
        self._restarts.forget()
        self._is_due = self._launch is not None and self._launch.is_wanted
        self._stands(ProcessState.IDLE)
        log.info("unit_server_stopped", unit_server=self.id, pid=process.pid)

    def _forget(self, process: UnitServerProcess) -> None:
        # What it started may hold on to the hardware, and must not meet the next process.
        process.send(signal.SIGKILL)
        self._process = None
        self._remember(None)

    def _reach(self, restart_count: int) -> None:
        """Takes an order to restart for carried out."""
        if restart_count == self.standing.reached_restart_count:
            return
        self.standing = replace(self.standing, reached_restart_count=restart_count)
        if self._process is not None:
            self._remember(self._process.mark, restart_count=restart_count)
        self._means.on_change()

    def _remember(self, mark: ProcessMark | None, *, restart_count: int = 0) -> None:
        try:
            self._means.folder.remember(self.id, mark, restart_count=restart_count)
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

    def _stands(
        self,
        state: ProcessState,
        *,
        fault: str = "",
        started: float | None = None,
        next_try: float | None = None,
        reached_restart_count: int | None = None,
    ) -> None:
        before = self.standing
        reached = before.reached_restart_count
        kept = before.started if self._process is not None else None
        self.standing = replace(
            before,
            state=state,
            pid=self._process.pid if self._process is not None else 0,
            fault=fault,
            started=kept if started is None else started,
            next_try=next_try,
            reached_restart_count=reached
            if reached_restart_count is None
            else reached_restart_count,
        )
        if self.standing != before:
            self._means.on_change()
