"""What may strike while an operation is under way; each puts things right again, as whoever
watches over them does."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mds.v1.operation_pb2 import GetOperationRequest, Operation

from control_units.client import ClientError
from tests.operations.ground import Ground
from tests.operations.section import ENDED, phase
from tests.stages.replica import Replica
from tests.stages.waiting import until

TAKEN_OVER_WITHIN_S = 40.0
READY_WITHIN_S = 90.0


@dataclass
class Blow:
    """One that strikes while an operation is under way.

    Attributes:
        operation: its name, once it is known.
        gap_s: how long nobody carried the operation on; None: it was not hit.
    """

    ground: Ground
    rng: random.Random
    operation: Callable[[], str]
    gap_s: float | None = None

    async def carrier(self) -> tuple[str, bool]:
        """The replica that carries the operation on, or any one, when none does; and whether it
        does."""
        found = await self._seen()
        if found is not None and found.replica and phase(found) not in ENDED:
            return found.replica, True
        return self.rng.choice(sorted(self.ground.replicas)), False

    async def _seen(self) -> Operation | None:
        """The operation; None: there is none yet, or nobody answers."""
        if not self.operation():
            return None
        try:
            request = GetOperationRequest(name=self.operation())
            return await self.ground.section.client.operations.GetOperation(request, timeout=2)
        except ClientError:
            return None

    async def taken_over(self, hit: str) -> None:
        """Waits until another replica carries the operation on, or it has ended."""
        began = time.monotonic()

        async def elsewhere() -> bool:
            found = await self._seen()
            return found is not None and (phase(found) in ENDED or found.replica not in {"", hit})

        await until(elsewhere, within=TAKEN_OVER_WITHIN_S, what=f"another replica than {hit}")
        self.gap_s = time.monotonic() - began


async def started(replica: Replica) -> None:
    replica.program.start()
    await replica.ready(within=READY_WITHIN_S)


async def kill_replica(blow: Blow) -> None:
    """The one that carries the operation on loses its power."""
    name, carries = await blow.carrier()
    replica = blow.ground.replicas[name]
    replica.kill()
    if carries:
        await blow.taken_over(name)
    await started(replica)


async def freeze_replica(blow: Blow) -> None:
    """It stands still until another has taken its place, and then goes on as if nothing had
    been."""
    name, carries = await blow.carrier()
    program = blow.ground.replicas[name].program
    program.pause()
    try:
        if carries:
            await blow.taken_over(name)
    finally:
        program.resume()


async def end_replica(blow: Blow) -> None:
    """It is told to end, as for an update."""
    name, carries = await blow.carrier()
    replica = blow.ground.replicas[name]
    await replica.terminate()
    if carries:
        await blow.taken_over(name)
    await started(replica)


async def kill_unit_server(blow: Blow) -> None:
    """Its agent launches it again."""
    id, pid = blow.rng.choice(sorted(blow.ground.pids().items()))
    os.killpg(pid, signal.SIGKILL)
    await until(lambda: blow.ground.pids().get(id, pid) != pid, within=20, what=f"{id} again")


async def kill_agent(blow: Blow) -> None:
    blow.ground.agent.kill()
    blow.ground.agent.start()


async def kill_database(blow: Blow) -> None:
    await asyncio.to_thread(blow.ground.mariadb.restart)


BLOWS: dict[str, Callable[[Blow], Awaitable[None]]] = {
    "replica killed": kill_replica,
    "replica frozen": freeze_replica,
    "replica ended": end_replica,
    "unit server killed": kill_unit_server,
    "agent killed": kill_agent,
    "database killed": kill_database,
}
