"""All unit servers of a facility come at once, as after a power cut."""

import asyncio
import math

from mds.v1.state_pb2 import STATE_RUNNING

from tests.chaos.loads import Stage
from tests.chaos.loads.facility import Facility
from tests.chaos.loads.probing import Probing

PROCESSES = 2


class BootStorm:
    """As many unit servers as each has units: 100 times 100."""

    facility: Facility

    def __init__(self) -> None:
        self._probing: Probing | None = None
        self._addresses = ""

    async def prepare(self, stage: Stage, probing: Probing) -> None:
        size = max(2, math.isqrt(stage.units))
        self.facility = Facility(
            f"{probing.token}/STORM", stage.folder,
            servers=size, units_each=size, processes=PROCESSES,
        )  # fmt: skip
        self._probing, self._addresses = probing, ",".join(stage.replicas)
        await self.facility.declare(probing.client, STATE_RUNNING)

    async def run(self, stop: asyncio.Event) -> None:
        await self.facility.start(self._addresses)
        await stop.wait()

    async def settle(self) -> None:
        assert self._probing is not None, "prepare it first"
        await self.facility.until_current(self._probing.client)

    async def close(self) -> None:
        if self._probing is not None:
            await self.facility.close()
