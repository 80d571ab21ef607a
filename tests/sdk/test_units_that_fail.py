"""Units that will not come to where people want them: seen with the reason, left to nobody's
patience, and without their neighbours noticing."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from mds.v1.condition_pb2 import Condition

from control_units import State
from tests.sdk.conftest import StartReplica
from tests.sdk.laboratory import Laboratory, Probe, laboratory
from tests.stages.program import Program
from tests.stages.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SHORTEST_LEASE = {"MDS_LEASE_S": "1.5", "MDS_HEARTBEAT_S": "0.45"}

DEADLY = """
import os
import re
from control_units import ControlUnit, run

class Probe(ControlUnit):
    def on_start(self):
        if self.id.endswith("/A"):
            os._exit(3)

run(Probe, unit_server="{unit_server}")
"""


class Eager(Probe, implementation="Probe"):
    recover_attempts = 2
    recover_pause = 0.05
    longest_recover_pause = 0.1


class Slow(Probe, implementation="Probe"):
    hook_warning = 0.1
    hook_deadline = 5.0


async def not_converging(lab: Laboratory, id: str) -> Condition:
    """The condition of a unit; an empty one where there is none."""
    status = await lab.status(id)
    found = [each for each in status.conditions if each.type == "NotConverging"]
    return found[0] if found else Condition()


async def until_reason(lab: Laboratory, id: str, reason: str, *, within: float = 10.0) -> None:
    async def so() -> bool:
        return (await not_converging(lab, id)).reason == reason

    await until(so, within=within, what=f"{id} to be {reason or 'well'}")


async def test_a_unit_that_raises_is_tried_given_up_and_comes_up_when_people_order_it(
    lab: Laboratory,
) -> None:
    await lab.declare("A", "B")
    Probe.faults["A start"] = OSError("no answer from 10.0.0.7")
    lab.serve((Eager,))
    await until_reason(lab, "A", "GivenUp")
    status = await lab.status("A")
    assert status.attempts == 2
    assert not status.HasField("next_attempt_time")
    told = await not_converging(lab, "A")
    assert told.message == (
        "RUNNING is wanted. OSError: no answer from 10.0.0.7. "
        "Its unit server has tried 2 times; now it waits for a recover."
    )
    assert Probe.done.count("A start") == 3
    assert [each for each in Probe.done if each.startswith("B")] == ["B init", "B start"]
    Probe.faults.clear()
    await lab.recover("A")
    await lab.until_states(A=State.RUNNING, B=State.RUNNING)
    await until_reason(lab, "A", "")
    assert (await lab.status("A")).attempts == 0


async def test_a_unit_that_hangs_says_in_what_and_obeys_as_soon_as_it_can(
    lab: Laboratory,
) -> None:
    await lab.declare("A", "B")
    Probe.hangs.add("A start")
    server = lab.serve((Slow,))
    await until_reason(lab, "A", "HookHangs")
    assert (await lab.status("A")).hanging_hook == "on_start"
    await lab.until_states(A=State.INITIALIZED, B=State.RUNNING)
    await lab.declare("A", desired=State.STOPPED)

    async def waits() -> bool:
        return "What is wanted of it since then has to wait" in (await lab.status("A")).message

    await until(waits, within=4.0)
    await lab.until_states(A=State.RECOVERABLE_ERROR, B=State.RUNNING)
    Probe.hangs.clear()
    await lab.recover("A")
    await lab.until_states(A=State.STOPPED, B=State.RUNNING)
    await until_reason(lab, "A", "")
    await lab.end(server)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    found = Program([sys.executable, str(tmp_path / "deadly.py")], log=tmp_path / "deadly.log")
    yield found
    found.clear()


@pytest.fixture
async def quick_lab(
    start_replica: StartReplica, sqlite_database: str, tmp_path: Path
) -> AsyncIterator[Laboratory]:
    replica = await start_replica(sqlite_database, environment=SHORTEST_LEASE)
    async with laboratory(replica.address, tmp_path / "state") as found:
        yield found


async def restarted(program: Program) -> None:
    """Starts a program again whenever it has ended, as an agent would."""
    while True:
        program.start()
        await program.ended(within=30)


async def test_a_unit_that_ends_its_process_each_time_says_so_and_others_do_not_notice(
    quick_lab: Laboratory, program: Program, tmp_path: Path
) -> None:
    lab = quick_lab
    await lab.declare("A", "B")
    (tmp_path / "deadly.py").write_text(DEADLY.format(unit_server=lab.name))
    program.environment = {
        "MDS_ADDRESS": ",".join(lab.client.addresses),
        "MDS_STATE_FOLDER": str(tmp_path / "deadly"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "proto")]),
    }
    async with laboratory(lab.client.addresses, tmp_path / "neighbour") as neighbour:
        await neighbour.declare("C")
        neighbour.serve()
        await neighbour.until_states(C=State.RUNNING)
        loop = asyncio.create_task(restarted(program))
        try:
            await until_reason(lab, "A", "KeepsDying", within=60.0)
        finally:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
        # It says so from the third time on; who looks late finds more.
        died = re.match(
            r"RUNNING is wanted\. Its unit server died (\d+) times within 10 min, last at ",
            (await not_converging(lab, "A")).message,
        )
        assert died is not None
        assert int(died[1]) >= 3
        assert len(await neighbour.lives("C")) == 1
        assert (await not_converging(neighbour, "C")).reason == ""
        await neighbour.until_states(C=State.RUNNING)
