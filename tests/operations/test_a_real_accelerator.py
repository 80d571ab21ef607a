"""A real accelerator on simulated devices: stopped, started zone after zone, broken off in the
middle, and tried again."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from mds.v1.bundle_pb2 import BundleHeader
from mds.v1.control_unit_pb2 import ListControlUnitStatusesRequest
from mds.v1.edit_pb2 import EditControlUnitsRequest, FieldEdit, UnitSelection
from mds.v1.operation_pb2 import (
    AbortOperationRequest,
    CreateOperationRequest,
    Operation,
    RetryOperationRequest,
)
from mds.v1.operation_step_pb2 import OperationStep, StepState
from mds.v1.state_pb2 import State

from control_units.importers.chaos import read_chaos
from tests.conftest import StartReplica
from tests.operations.section import START, STOP, Section, phase
from tests.scenarios.plans import Told, apply
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

pytestmark = pytest.mark.timeout(240)
UNITS = 378
UNIT_SERVERS = ("SIMPS_0", "SIMPS_1", "SIMPS_2", "TEST_DAFNE")
ZONES = {
    1: ("DAFNE/TT/", "DAFNE/TE/", "DAFNE/TB/", "DAFNE/TL/", "DAFNE/TR/", "DAFNE/TP/"),
    2: ("DAFNE/PL/", "DAFNE/PS/", "DAFNE/PI/"),
    3: ("DAFNE/EL/", "DAFNE/ES/", "DAFNE/EI/"),
}
"""By their levels: all else, the transfer lines, the ring of positrons, that of electrons."""
LONG_LEASE = {"MDS_LEASE_S": "60", "MDS_HEARTBEAT_S": "5"}


class Accelerator(Section):
    """Orders to all units of a facility."""

    async def give(self, operation: Operation) -> Operation:
        operation.selection.id_prefixes.append("*")
        request = CreateOperationRequest(operation=operation, reason="shift begins")
        return await self.client.operations.CreateOperation(request)

    async def counts(self) -> dict[str, int]:
        """How many units are in which state."""
        request = ListControlUnitStatusesRequest(page_size=1000)
        listed = await self.client.control_units.ListControlUnitStatuses(request)
        found = defaultdict[str, int](int)
        for each in listed.control_unit_statuses:
            found[State.Name(each.state).removeprefix("STATE_")] += 1
        return found

    async def set_levels(self) -> None:
        for level, prefixes in ZONES.items():
            request = EditControlUnitsRequest(
                selection=UnitSelection(id_prefixes=prefixes),
                edits=[FieldEdit(path="level", value=str(level))],
                reason="zone after zone",
            )
            told = Told()
            async for response in self.client.edits.EditControlUnits(request):
                told.take(response)
            assert told.summary.applied, told.problems


@pytest.fixture
async def accelerator(
    start_replica: StartReplica, sqlite_database: str, chaos_files: Path, tmp_path: Path
) -> AsyncIterator[Accelerator]:
    """All units run, each on a process of its unit server."""
    replica = await start_replica(sqlite_database, environment=LONG_LEASE)
    found = Accelerator(replica.address, tmp_path)
    items = read_chaos((chaos_files / "dafne.json").read_bytes()).items
    told = await apply(found.client, items, BundleHeader(skip_invalid=True, reason="import"))
    assert told.summary.applied
    programs = [program_of(each, replica, tmp_path) for each in UNIT_SERVERS]
    try:
        for program in programs:
            program.start()
        await all_are(found, RUNNING=UNITS)
        yield found
    finally:
        for program in programs:
            program.clear()
        await found.client.close()


def program_of(unit_server: str, replica: Replica, folder: Path) -> Program:
    environment = {"MDS_ADDRESS": replica.address, "MDS_STATE_FOLDER": str(folder / "state")}
    return Program.mds(
        "simulate", unit_server, log=folder / f"{unit_server}.log", environment=environment
    )


async def all_are(accelerator: Accelerator, **counts: int) -> None:
    async def so() -> bool:
        return await accelerator.counts() == counts

    await until(so, within=90, what=f"{counts}")


def level_of(step: OperationStep) -> int:
    id = step.control_unit.partition("/")[2]
    return next((each for each, zones in ZONES.items() if id.startswith(zones)), 0)


def check_order(steps: Iterable[OperationStep]) -> None:
    """No step began before all of the level before had ended."""
    began, ended = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for each in steps:
        began[level_of(each)].append(each.start_time.ToNanoseconds())
        ended[level_of(each)].append(each.end_time.ToNanoseconds())
    for earlier, later in pairwise(sorted(began)):
        assert max(ended[earlier]) <= min(began[later]), f"level {later} began too early"


async def test_it_is_stopped_started_zone_after_zone_broken_off_and_tried_again(
    accelerator: Accelerator,
) -> None:
    operations: Any = accelerator.client.operations
    stopped = await accelerator.ended(await accelerator.give(Operation(verb=STOP)), within=60)
    assert (phase(stopped), stopped.counts.completed) == ("COMPLETED", UNITS), stopped.message
    await all_are(accelerator, STOPPED=UNITS)

    await accelerator.set_levels()
    starting = await accelerator.give(Operation(verb=START, at_once=20))

    async def is_in_the_middle() -> bool:
        return (await accelerator.get(starting.name)).counts.completed >= 60

    await until(is_in_the_middle, within=60)
    await operations.AbortOperation(AbortOperationRequest(name=starting.name, reason="beam lost"))
    aborted = await accelerator.ended(starting, within=60)
    assert (phase(aborted), aborted.minor_state) == ("ABORTED", "AbortedByPerson")
    assert aborted.counts.completed + aborted.counts.aborted == UNITS, aborted.message
    assert aborted.counts.aborted
    await all_are(accelerator, RUNNING=aborted.counts.completed, STOPPED=aborted.counts.aborted)

    again = await operations.RetryOperation(
        RetryOperationRequest(name=starting.name, reason="beam is back")
    )
    done = await accelerator.ended(again, within=90)
    assert (phase(done), done.counts.completed) == ("COMPLETED", UNITS), done.message
    steps = await accelerator.steps(done)
    assert all(each.state == StepState.STEP_STATE_COMPLETED for each in steps)
    assert all(each.attempts == 1 for each in steps)
    check_order(steps)
    await all_are(accelerator, RUNNING=UNITS)
