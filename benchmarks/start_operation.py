"""Start of many hollow units by one operation, against the same wish as one plain edit."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from mds.v1.control_unit_pb2 import ControlUnit, ListControlUnitStatusesRequest
from mds.v1.edit_pb2 import EditControlUnitsRequest, FieldEdit, UnitSelection
from mds.v1.operation_pb2 import (
    OPERATION_PHASE_COMPLETED,
    OPERATION_PHASE_EXECUTING,
    OPERATION_PHASE_QUEUED,
    ORDER_VERB_START,
    CreateOperationRequest,
    GetOperationRequest,
    Operation,
    OperationPhase,
)
from mds.v1.state_pb2 import STATE_INITIALIZED, STATE_LOADED, State

from benchmarks.facility import Shape, declare, unit_id
from benchmarks.idle_facility import cpu_s
from benchmarks.stage import Stage, client_of, hollow
from benchmarks.table import print_table
from control_units.client import Client
from tests.stages.replica import Replica

LEVELS, CHAIN = 10, 10
PATIENCE_S, LOOK_S, ASK_S = 600.0, 0.5, 0.1
GOAL_S, GOAL_RATIO = 20, 1.1
ALL = UnitSelection(id_prefixes=["ZONE"])
UNDER_WAY = {OPERATION_PHASE_QUEUED, OPERATION_PHASE_EXECUTING}


def in_levels(_server: int, unit: int) -> ControlUnit:
    return ControlUnit(level=unit % LEVELS + 1)


def in_chains(server: int, unit: int) -> ControlUnit:
    """Each but the first of ten requires the one before it."""
    before = f"control_units/{unit_id(server, unit - 1)}"
    return ControlUnit(requires=[before] if unit % CHAIN else [])


def on_one_level(_server: int, _unit: int) -> ControlUnit:
    return ControlUnit()


CASES: Mapping[str, tuple[int, Shape]] = {
    "1,000 in 10 levels": (10, in_levels),
    "10,000 in 10 levels": (100, in_levels),
    "10,000 on one level": (100, on_one_level),
    "10,000 in chains of 10": (100, in_chains),
}
UNITS = 100


@dataclass(frozen=True, slots=True)
class Measured:
    """One start; times in seconds, memory in MB.

    Attributes:
        given: until the order was answered.
        whole: until the operation had ended.
        cpu: what the replica used for it, of one core.
        database: likewise, the database.
        peak: of the replica's memory.
        grown: by how much that was more than before.
    """

    given: float
    whole: float
    cpu: float
    database: float
    peak: float
    grown: float


async def start_operation(stage: Stage) -> None:
    """Prints how long starts take; hollow units answer at once, so that none of it is their
    own time."""
    rows = []
    a_unit: dict[str, float] = {}
    for name, (servers, shape) in CASES.items():
        count = servers * UNITS
        async with loaded(stage, servers, shape) as (replica, client):
            measured = await started(stage, replica, client)
        plain, plain_cpu = await wished(stage, servers, shape)
        a_unit[name] = measured.whole / count
        rows.append(
            [
                name,
                *(measured.given, measured.whole, 1000 * measured.whole / count, plain),
                *(measured.whole / plain, measured.cpu, plain_cpu, measured.database),
                *(measured.peak, measured.grown),
            ]
        )
    headings = ["units", "order, s", "all, s", "ms a unit", "as an edit, s", "ratio"]
    headings += ["replica's CPU, s", "of the edit, s", "database's CPU, s"]
    headings += ["peak, MB", "grown, MB"]
    print_table(f"Start of hollow units (goal: 10,000 in {GOAL_S} s)", headings, rows)
    small, large = (a_unit[name] for name in list(CASES)[:2])
    print_table(
        f"Time a unit, 10,000 against 1,000 (goal: at most {GOAL_RATIO})",
        ["", "ratio"],
        [["in 10 levels", large / small]],
    )


async def started(stage: Stage, replica: Replica, client: Client) -> Measured:
    """A start of all units, to its end."""
    process = psutil.Process(replica.program.pid)
    forget_peak(process)
    resident, database = process.memory_info().rss, stage.cpu_s()
    cpu, began = cpu_s(process), time.monotonic()
    order = Operation(verb=ORDER_VERB_START, selection=ALL)
    request = CreateOperationRequest(operation=order, reason="benchmark")
    operation = await client.operations.CreateOperation(request, timeout=PATIENCE_S)
    given = time.monotonic() - began
    async with asyncio.timeout(PATIENCE_S):
        while operation.phase in UNDER_WAY:
            await asyncio.sleep(LOOK_S)
            reading = GetOperationRequest(name=operation.name)
            operation = await client.operations.GetOperation(reading)
    if operation.phase != OPERATION_PHASE_COMPLETED:
        phase = OperationPhase.Name(operation.phase)
        raise RuntimeError(f"The start ended as {phase}: {operation.message}")
    whole = operation.end_time.ToNanoseconds() - operation.create_time.ToNanoseconds()
    peak = peak_bytes(process)
    return Measured(
        given,
        given + whole / 1e9,
        cpu_s(process) - cpu,
        stage.cpu_s() - database,
        peak / 2**20,
        (peak - resident) / 2**20,
    )


async def wished(stage: Stage, servers: int, shape: Shape) -> tuple[float, float]:
    """Seconds until all units run that one edit wants to run, and those that the replica used of
    one core: no order, nothing followed."""
    async with loaded(stage, servers, shape) as (replica, client):
        process = psutil.Process(replica.program.pid)
        cpu, began = cpu_s(process), time.monotonic()
        edit = FieldEdit(path="desired_state", value="RUNNING")
        request = EditControlUnitsRequest(selection=ALL, edits=[edit], reason="benchmark")
        async for word in client.edits.EditControlUnits(request, timeout=PATIENCE_S):
            if word.problems:
                raise RuntimeError(word.problems[0].message)
        waiting = True
        while waiting:
            await asyncio.sleep(ASK_S)
            waiting = await is_any(client, STATE_LOADED) or await is_any(client, STATE_INITIALIZED)
        return time.monotonic() - began, cpu_s(process) - cpu


@asynccontextmanager
async def loaded(stage: Stage, servers: int, shape: Shape) -> AsyncIterator[tuple[Replica, Client]]:
    """Units that are LOADED, of which nobody wants anything."""
    async with stage.replica() as replica, client_of(replica) as client:
        await declare(client, servers, UNITS, shape)
        async with hollow(replica, servers, "1") as clients:
            await clients.heard("running")
            yield replica, client
            await clients.end()


async def is_any(client: Client, state: State.ValueType) -> bool:
    """Whether any unit is in a state."""
    request = ListControlUnitStatusesRequest(page_size=1, state=state)
    page = await client.control_units.ListControlUnitStatuses(request, timeout=PATIENCE_S)
    return bool(page.control_unit_statuses)


def forget_peak(process: psutil.Process) -> None:
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def peak_bytes(process: psutil.Process) -> int:
    """The most memory that was resident since `forget_peak`."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024
