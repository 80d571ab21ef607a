"""A facility that runs: it beats, and is watched."""

import asyncio

from mds.v1.state_pb2 import STATE_RUNNING

from tests.chaos.loads import Stage
from tests.chaos.loads.facility import Facility
from tests.chaos.loads.probing import Probing

MOST_UNITS, SERVER_SIZE = 500, 20


class AtRest:
    """All its units run before the first fault."""

    facility: Facility

    def __init__(self) -> None:
        self._probing: Probing | None = None

    async def prepare(self, stage: Stage, probing: Probing) -> None:
        servers = max(1, min(stage.units, MOST_UNITS) // SERVER_SIZE)
        self.facility = Facility(
            f"{probing.token}/REST", stage.folder, servers=servers, units_each=SERVER_SIZE
        )
        self._probing = probing
        await self.facility.declare(probing.client, STATE_RUNNING)
        await self.facility.start(",".join(stage.replicas))
        await self.facility.until_current(probing.client)

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()

    async def settle(self) -> None:
        assert self._probing is not None, "prepare it first"
        await self.facility.until_current(self._probing.client)

    async def close(self) -> None:
        if self._probing is not None:
            await self.facility.close()
