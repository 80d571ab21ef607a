"""A facility of devices that are none, with unit servers in processes of their own."""

import asyncio
import contextlib
import os
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from mds.v1.control_unit_pb2 import (
    ControlUnit,
    ControlUnitStatus,
    ListControlUnitStatusesRequest,
)
from mds.v1.dataset_pb2 import DIRECTION_INPUT, VALUE_TYPE_DOUBLE, Attribute
from mds.v1.state_pb2 import CONTACT_ALIVE, STATE_RUNNING, State
from mds.v1.template_pb2 import Template
from mds.v1.unit_server_pb2 import UnitServer

from control_units.client import Client, ClientError
from control_units.client.words import word_of
from tests.chaos.loads.unit_servers import CLASS

LOOK_S = 0.3
AWAY = "contact!=ALIVE"
LEVELS = 3
ENDS_WITHIN_S = 30.0


class Facility:
    """
    Args:
        token: tells its names from those of other rounds.
        servers: unit servers, each with `units_each` units.
        processes: that they are spread over.
    """

    def __init__(
        self, token: str, folder: Path, *, servers: int, units_each: int, processes: int = 1
    ) -> None:
        self.prefix = f"CHAOS/{token}/"
        self.template = f"templates/{CLASS}"
        self._folder = folder
        self._stem = f"unit-servers-{token.replace('/', '-')}"
        self._numbers = range(servers)
        self._units_each = units_each
        self._shares = [list(self._numbers[each::processes]) for each in range(processes)]
        self._processes: list[Process] = []
        self._elsewhere = ""

    @property
    def units(self) -> dict[str, int]:
        """The level of each unit, by name."""
        return {
            f"control_units/{self.prefix}{server:04}/{unit:04}": unit % LEVELS
            for server in self._numbers
            for unit in range(self._units_each)
        }

    async def declare(self, client: Client, state: "State.ValueType" = STATE_RUNNING) -> None:
        """Declares all of it, in one bundle."""
        self._elsewhere = f"state!={word_of(State, state)}"
        await client.apply(self._resources(state), reason="a facility to break", timeout=120)

    def _resources(self, state: "State.ValueType") -> Iterator[Template | UnitServer | ControlUnit]:
        yield Template(
            name=self.template,
            implementation=CLASS,
            attributes=[
                Attribute(
                    name="current", direction=DIRECTION_INPUT, type=VALUE_TYPE_DOUBLE, unit="A"
                )
            ],
        )
        for server in self._numbers:
            yield UnitServer(name=f"unit_servers/{self.server_id(server)}")
        for name, level in self.units.items():
            server = int(name.split("/")[-2])
            yield ControlUnit(
                name=name, template=self.template, level=level, desired_state=state,
                unit_server=f"unit_servers/{self.server_id(server)}",
            )  # fmt: skip

    def server_id(self, number: int) -> str:
        return f"{self.prefix}S{number:04}"

    async def start(self, address: str) -> None:
        """Starts the processes of its unit servers; they are at work some time after."""
        for number, share in enumerate(self._shares):
            names = [self.server_id(each) for each in share]
            stem = self._folder / f"{self._stem}-{number}"
            with stem.with_suffix(".log").open("ab") as log:
                self._processes.append(
                    await asyncio.create_subprocess_exec(
                        sys.executable, "-m", "tests.chaos.loads.unit_servers",
                        "--address", address,
                        "--record", str(stem.with_suffix(".jsonl")),
                        "--state", str(self._folder / f"{self._stem}-state"),
                        *names,
                        stdin=DEVNULL, stdout=log, stderr=log,
                        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                    )
                )  # fmt: skip

    async def close(self) -> None:
        """Ends the processes."""
        for process in self._processes:
            if process.returncode is None:
                process.terminate()
        for process in self._processes:
            try:
                async with asyncio.timeout(ENDS_WITHIN_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        self._processes.clear()

    async def until_current(self, client: Client) -> None:
        """Returns once every unit is in touch, and where people want it."""
        await self._until(lambda: self._is_current(client))

    async def until_in_touch(self, client: Client) -> None:
        """Returns once every unit is in touch, whatever it does."""
        await self._until(lambda: self._count_in_touch(client))

    async def _until(self, look: Callable[[], Awaitable[object]]) -> None:
        """Looks again and again, and takes longer over it where a look does: nobody is to be kept
        busy by it. Where nobody can tell, it is not so."""
        while True:
            began = time.monotonic()
            with contextlib.suppress(ClientError):
                if await look():
                    return
            await asyncio.sleep(max(LOOK_S, 2 * (time.monotonic() - began)))

    async def _count_in_touch(self, client: Client) -> int:
        """How many units are; 0 unless all are."""
        count = 0
        async for status in client.control_unit_statuses.list(id_prefix=self.prefix):
            if status.contact != CONTACT_ALIVE:
                return 0
            count += 1
        return count if count == len(self.units) else 0

    async def _is_current(self, client: Client) -> bool:
        # Thousands are read only when it may be so.
        for filter_ in (AWAY, self._elsewhere):
            one = ListControlUnitStatusesRequest(page_size=1)
            found = client.control_unit_statuses.list(one, id_prefix=self.prefix, filter=filter_)
            async for _ in found:
                return False
        statuses = {
            each.control_unit: each
            async for each in client.control_unit_statuses.list(id_prefix=self.prefix)
        }
        declared = [each async for each in client.control_units.list(id_prefix=self.prefix)]
        return len(declared) == len(self.units) and all(
            each.name in statuses and is_there(each, statuses[each.name]) for each in declared
        )


def is_there(unit: ControlUnit, status: ControlUnitStatus) -> bool:
    return (
        status.contact == CONTACT_ALIVE
        and status.state == unit.desired_state
        and status.reached_generation == unit.generation
    )
