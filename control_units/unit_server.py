"""A unit server: the process that hosts control units."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Literal

import structlog

from control_units.client import Client, Refused, default_principal
from control_units.control_unit import ControlUnit
from control_units.disk_copy import DiskCopy, default_folder
from control_units.faults import UnitServerFault
from control_units.hosting import HostedClasses, Hosting
from control_units.link import Admission, Identity, Link
from control_units.sendable import sendable

GOODBYE_S = 3.0
"""How long the last reports and the good-bye may take."""

LETTING_GO_S = 10.0
"""How long units may take, together, to let go of their hardware at the end."""

_SAVE_S = 0.5
_AFTER_FAULT_S = 1.0

log = structlog.get_logger(__name__)


class UnitServer:
    """Hosts control units of some classes, from `serve` to `stop`.

    Args:
        classes: what it can build.
        unit_server: its id, as it is declared.
        address: of the metadata servers; else MDS_ADDRESS, else 127.0.0.1:7400.
        take_over: ends the session of a live holder of this id and takes its place.
        on_lease_lost: `keep`: units go on out of contact; `stop`: running ones are stopped
            until there is contact again, and none runs before there has been any.
        waits_undeclared: comes again until somebody declares it; otherwise that is the end.
        state_folder: where the last good configuration is kept; else MDS_STATE_FOLDER, else
            the user's own folder for the state of programs.
        recover_attempts: how often it tries by itself to get a unit out of RECOVERABLE_ERROR;
            0: never; None: as the unit's class says.
        version: of the classes' software, for the history of lives.
        reason: of this start, for the history.

    Attributes:
        on_ending: called when `serve` begins to end, before units let go.
    """

    def __init__(
        self,
        classes: Iterable[type[ControlUnit]],
        unit_server: str,
        *,
        address: str | Sequence[str] | None = None,
        take_over: bool = False,
        on_lease_lost: Literal["keep", "stop"] = "keep",
        waits_undeclared: bool = True,
        state_folder: Path | None = None,
        recover_attempts: int | None = None,
        version: str = "",
        reason: str = "",
    ) -> None:
        self.identity = Identity(unit_server, sendable(version))
        self._classes = HostedClasses(classes)
        self._admission = Admission(take_over, waits_undeclared, sendable(reason))
        self._client = Client(address, principal=f"{unit_server} ({default_principal()})")
        self._copy = DiskCopy(state_folder or default_folder(), unit_server)
        self._stops_without_lease = on_lease_lost == "stop"
        self._unit_tasks: set[asyncio.Task[None]] = set()
        self._hosting = Hosting(self._classes, spawn=self._spawn, recover_attempts=recover_attempts)
        # Before its first lease, too: while it was away, another process may have taken its place.
        self._hosting.hold(is_held=self._stops_without_lease)
        self._stopping = asyncio.Event()
        self.on_ending: Callable[[], None] = lambda: None
        self._fault: UnitServerFault | Refused | None = None
        self.has_lease = False
        self._link = Link(
            self._client,
            self.identity,
            self._admission,
            self._hosting,
            self._classes,
            on_lease_renewed=self._lease_renewed,
            on_lease_lost=self._lease_lost,
            on_unreachable=self._start_from_copy,
        )

    @property
    def hosting(self) -> Hosting:
        """The units."""
        return self._hosting

    @property
    def is_attached(self) -> bool:
        """Whether it has a stream with a metadata server."""
        return self._link.is_attached

    @property
    def client(self) -> Client:
        """Its client of the metadata servers."""
        return self._client

    def stop(self) -> None:
        """Has `serve` let go of all hardware, say good-bye and return; without a good-bye where a
        unit does not let go."""
        self._stopping.set()

    async def serve(self) -> None:
        """Hosts its units until `stop`.

        Raises:
            UnitServerFault: it may not host them (any more); they have let go of their hardware.
            Refused: its registration cannot be right.
        """
        kept = self._copy.load()
        if kept is not None:
            self._hosting.remember(kept)
        async with self._client, asyncio.TaskGroup() as tasks:
            link = tasks.create_task(self._stay_in_touch())
            saving = tasks.create_task(self._keep_copy())
            try:
                await self._stopping.wait()
                self.on_ending()
                has_let_go = await self._let_go()
                if has_let_go and self._link.is_attached:
                    self._link.say_goodbye("The unit server was told to stop.")
                    await asyncio.wait({link}, timeout=GOODBYE_S)
            finally:
                link.cancel()
                saving.cancel()
                for task in self._unit_tasks:
                    task.cancel()
        if self._fault is not None:
            raise self._fault

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # Kept, and cancelled at the end of `serve`, which is what a TaskGroup would do; but one
        # that hangs at the end must not hold up the good-bye.
        task = asyncio.get_running_loop().create_task(work)
        self._unit_tasks.add(task)
        task.add_done_callback(self._unit_task_done)
        return task

    def _unit_task_done(self, task: asyncio.Task[None]) -> None:
        self._unit_tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("unit_task_failed", exc_info=error)

    async def _stay_in_touch(self) -> None:
        with closing(self._link):
            while True:
                try:
                    await self._link.run()
                except (UnitServerFault, Refused) as fault:
                    self._fault = fault
                    log.error(
                        "unit_server_ends",
                        unit_server=self.identity.unit_server,
                        reason=str(fault),
                    )
                    self.stop()
                    return
                except Exception:  # the top of a background loop; the units go on meanwhile
                    log.exception("link_failed", unit_server=self.identity.unit_server)
                else:
                    return
                await asyncio.sleep(_AFTER_FAULT_S)

    async def _let_go(self) -> bool:
        """Whether no unit is near its hardware any more. Otherwise there is no good-bye: its place
        would be free at once, and another process at the same hardware. The session then lasts
        until its lease ends by itself, which is to be later than the process (`ENDING_S`)."""
        with suppress(TimeoutError):  # perhaps only words about it are late
            async with asyncio.timeout(LETTING_GO_S):
                await self._hosting.leave_all()
        late = self._hosting.still_loaded()
        if late:
            log.error(
                "units_did_not_let_go",
                control_units=late,
                within_s=LETTING_GO_S,
                place="kept until the lease ends",
            )
        return not late

    def _lease_renewed(self) -> None:
        self.has_lease = True
        self._hosting.hold(is_held=False)

    def _lease_lost(self) -> None:
        self.has_lease = False
        log.warning(
            "lease_lost",
            unit_server=self.identity.unit_server,
            units="stopped" if self._stops_without_lease else "kept",
        )
        self._hosting.hold(is_held=self._stops_without_lease)

    def _start_from_copy(self) -> None:
        """No server answers: starts from what was kept, unless units are hosted already."""
        if self._hosting.units or self._stopping.is_set():
            return
        if self._hosting.start_from_memory():
            log.warning(
                "started_from_copy_on_disk",
                unit_server=self.identity.unit_server,
                path=str(self._copy.path),
                control_units=len(self._hosting.units),
            )

    async def _keep_copy(self) -> None:
        """Writes the copy after changes, at most twice a second."""
        while True:
            await self._hosting.changed.wait()
            await asyncio.sleep(_SAVE_S)
            self._hosting.changed.clear()
            try:
                await asyncio.to_thread(self._copy.save, self._hosting.copy())
            except OSError as error:
                log.warning("disk_copy_not_written", path=str(self._copy.path), error=str(error))
            except Exception:  # the top of a background loop
                log.exception("disk_copy_failed", path=str(self._copy.path))
