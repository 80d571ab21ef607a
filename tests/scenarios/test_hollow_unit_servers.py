"""What benchmarks measure with comes back from what breaks, as real unit servers do."""

from collections.abc import Awaitable, Callable

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.control_unit_pb2 import (
    ControlUnit,
    ListControlUnitStatusesRequest,
    UpdateControlUnitRequest,
)
from mds.v1.state_pb2 import STATE_RUNNING, STATE_STOPPED, State

from benchmarks.facility import declare, unit_id
from benchmarks.stage import client_of, hollow
from control_units.client import Client
from tests.stages.replica import Replica
from tests.stages.waiting import until

StartReplica = Callable[..., Awaitable[Replica]]
SERVERS, UNITS = 2, 3
WITHIN_S = 60


async def test_hollow_unit_servers_attach_again_and_hear_what_is_wanted(
    start_replica: StartReplica, sqlite_database: str
) -> None:
    replica = await start_replica(sqlite_database)
    async with client_of(replica) as client:
        await declare(client, SERVERS, UNITS)
        async with hollow(replica, SERVERS, "1") as unit_servers:
            await unit_servers.heard("running")
            assert await count(client, STATE_RUNNING) == SERVERS * UNITS
            await replica.restart()
            for server in range(SERVERS):
                await stop(client, unit_id(server, 0))

            async def they_have_stopped() -> bool:
                return await count(client, STATE_STOPPED) == SERVERS

            await until(they_have_stopped, within=WITHIN_S)
            await unit_servers.end()


async def stop(client: Client, id: str) -> None:
    unit = ControlUnit(name=f"control_units/{id}", desired_state=STATE_STOPPED, etag="*")
    mask = FieldMask(paths=["desired_state"])
    await client.control_units.UpdateControlUnit(
        UpdateControlUnitRequest(control_unit=unit, update_mask=mask)
    )


async def count(client: Client, state: State.ValueType) -> int:
    page = await client.control_units.ListControlUnitStatuses(
        ListControlUnitStatusesRequest(state=state, page_size=SERVERS * UNITS)
    )
    return len(page.control_unit_statuses)
