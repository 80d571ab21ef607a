"""Unit servers of devices that are none, as a program; they write down what is done to them.

`python -m tests.chaos.loads.unit_servers --address A --record FILE --state FOLDER SERVER…`
"""

import argparse
import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import ClassVar

import structlog

from control_units import ControlUnit, Direction, attribute
from control_units.unit_server import UnitServer
from tests.chaos.history import Done, Recorder

CLASS = "chaos::Device"
FLUSH_S = 0.5


class Device(ControlUnit, implementation=CLASS):
    """Says what is done to it."""

    current = attribute(direction=Direction.INPUT, unit="A", default=0.0)
    recorder: ClassVar[Recorder | None] = None
    cycle_period = 3600.0

    async def on_start(self) -> None:
        self._done("starts")

    async def on_stop(self) -> None:
        self._done("stops")

    def _done(self, what: str) -> None:
        if self.recorder is not None:
            self.recorder.record(
                Done(
                    client=f"process {os.getpid()}", unit=f"control_units/{self.id}", what=what,
                    process=os.getpid(), at=Recorder.now(),
                )
            )  # fmt: skip


async def run(servers: list[UnitServer], recorder: Recorder) -> None:
    """Until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as tasks:
        for each in servers:
            tasks.create_task(each.serve())
        flushing = tasks.create_task(flush_on(recorder))
        await stop.wait()
        for each in servers:
            each.stop()
        flushing.cancel()


async def flush_on(recorder: Recorder) -> None:
    while True:
        await asyncio.sleep(FLUSH_S)
        recorder.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("servers", nargs="+")
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with Recorder(told.record) as recorder:
        Device.recorder = recorder
        servers = [
            UnitServer([Device], each, address=told.address, state_folder=told.state)
            for each in told.servers
        ]
        asyncio.run(run(servers, recorder))


if __name__ == "__main__":
    main()
