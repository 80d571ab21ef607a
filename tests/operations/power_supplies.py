"""A unit server of power supplies, as a program: `power_supplies.py UNIT_SERVER`.

In the folder MDS_TEST_FOLDER it writes down what is done to its units, and finds there which
of them raise, hang, or take their process with them.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

from control_units import ControlUnit, Direction, RecoverableError, attribute, run

JOURNAL, FAULTS = "journal.txt", "faults.json"
RAISES, HANGS, DIES = "raises", "hangs", "dies"
HOOK_S = 0.05


def folder() -> Path:
    return Path(os.environ["MDS_TEST_FOLDER"])


class PowerSupply(ControlUnit, implementation="lab::PowerSupply"):
    """Takes its time to start and to stop. People alone have it recover."""

    current = attribute(direction=Direction.INPUT, unit="A", default=0.0)
    recover_attempts = 0
    hook_deadline = 11.0

    async def on_start(self) -> None:
        self._note("starts")
        match json.loads((folder() / FAULTS).read_text()).get(self.id):
            case "raises":
                raise RecoverableError("the mains are off")
            case "hangs":
                await asyncio.Event().wait()
            case "dies":
                os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(HOOK_S)
        self._note("started")

    async def on_stop(self) -> None:
        self._note("stops")
        await asyncio.sleep(HOOK_S)
        self._note("stopped")

    def _note(self, what: str) -> None:
        # One short write at the end of the file is whole, whoever else writes.
        with (folder() / JOURNAL).open("a") as journal:
            journal.write(f"{time.monotonic()} {os.getpid()} {self.id} {what}\n")


if __name__ == "__main__":
    run(PowerSupply, unit_server=sys.argv[1])
