"""Running a unit server as a program."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from control_units.control_unit import ControlUnit
    from control_units.unit_server import UnitServer

ENDING_S = 20.0
"""The process ends so long after it began to, whatever its hooks do."""


def run(
    *classes: type[ControlUnit],
    unit_server: str,
    address: str | None = None,
    take_over: bool = False,
    on_lease_lost: Literal["keep", "stop"] = "keep",
    waits_undeclared: bool = True,
    state_folder: Path | None = None,
    recover_attempts: int | None = None,
    version: str = "",
    reason: str = "",
) -> None:
    """Hosts control units of these classes until SIGTERM or Ctrl-C; see `UnitServer`.

    Raises:
        SystemExit: with the reason, when it may not host them (any more); their hardware has
            been let go of.
    """
    # Imported here, so that a module with control units is quick to import by itself.
    from control_units.unit_server import UnitServer

    _run(
        lambda: UnitServer(
            classes,
            unit_server,
            address=address,
            take_over=take_over,
            on_lease_lost=on_lease_lost,
            waits_undeclared=waits_undeclared,
            state_folder=state_folder,
            recover_attempts=recover_attempts,
            version=version,
            reason=reason,
        )
    )


def _run(make: Callable[[], UnitServer]) -> None:
    from control_units.client import BadAddress, Refused
    from control_units.client.traces import open_traces
    from control_units.faults import UnitServerFault
    from control_units.logs import set_up_logs

    set_up_logs()
    open_traces("mds-unit-server")

    last_resort = _LastResort()

    async def serve() -> None:
        await _serve(make(), last_resort)

    try:
        asyncio.run(serve())
    except (BadAddress, UnitServerFault, Refused) as fault:
        sys.exit(str(fault))
    finally:
        last_resort.cancel()  # whoever has called may go on, and run another one


async def _serve(server: UnitServer, last_resort: _LastResort) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    server.on_ending = last_resort.set
    try:
        with _figures(server):
            await server.serve()
    finally:
        last_resort.set()  # nothing may have been foreseen of this end


def _figures(server: UnitServer) -> AbstractContextManager[object]:
    """Tells Prometheus how it stands, where that is asked for."""
    from control_units.figures import PORT_VARIABLE

    if not os.environ.get(PORT_VARIABLE):
        return nullcontext()
    from control_units.figures.calls import ClientFigures
    from control_units.figures.serving import figures_of_process, served
    from control_units.figures.unit_server import UnitServerFigures

    registry = figures_of_process("unit-server")
    server.client.caller.observer = ClientFigures(registry)
    UnitServerFigures(server, registry)
    return served(registry)


class _LastResort:
    """A hook that cannot be ended must not keep the process for ever: `asyncio.run` would wait for
    it."""

    def __init__(self) -> None:
        self._timer = threading.Timer(ENDING_S, os._exit, args=(1,))
        self._timer.daemon = True
        self._is_set = False

    def set(self) -> None:
        """Counts from the first time on."""
        if not self._is_set:
            self._is_set = True
            self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()
