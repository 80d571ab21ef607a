"""Units that raise, that hang, and that take their process with them each time: an operation ends
as its author said, and their neighbours do not notice."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from mds.v1.operation_pb2 import OnFailure, Operation

from tests.operations.ground import Ground, ground
from tests.operations.power_supplies import DIES, HANGS, RAISES
from tests.operations.section import START, phase, unit
from tests.stages.mariadb import MariaDB

pytestmark = pytest.mark.timeout(240)
STOP, CONTINUE, ROLL_BACK = "STOP", "CONTINUE", "ROLL_BACK"
POLICIES = (STOP, CONTINUE, ROLL_BACK)
LEVELS = {"low": 0, "well": 1, RAISES: 1, HANGS: 1, DIES: 1, "high": 2}
# Shorter than their hooks may take.
STEP_TIMEOUT = Duration(seconds=8)
FAILED = {
    "low": ("COMPLETED", "Reached"),
    "well": ("COMPLETED", "Reached"),
    RAISES: ("ERROR", "UnitFailed"),
    HANGS: ("ERROR", "TimedOut"),
    DIES: ("ERROR", "TimedOut"),
    "high": ("ABORTED", "AfterFailure"),
}


async def set_up(laid: Ground) -> None:
    """For each policy the same units; all of one process, save those that end theirs."""
    await laid.set_up(
        *(
            unit(
                f"LAB/{policy}/{name}",
                level=level,
                unit_server=f"unit_servers/LAB/{policy if name == DIES else 'SERVER'}",
            )
            for policy in POLICIES
            for name, level in LEVELS.items()
        )
    )
    faults = {
        f"LAB/{policy}/{fault}": fault for policy in POLICIES for fault in (RAISES, HANGS, DIES)
    }
    laid.fail(faults)


async def started(laid: Ground, policy: str) -> tuple[Operation, dict[str, tuple[str, str]]]:
    """What has become of the start of the units of a policy, and of each of its steps."""
    given = await laid.section.order(
        START,
        *(f"LAB/{policy}/{name}" for name in LEVELS),
        on_failure=OnFailure.Value(f"ON_FAILURE_{policy}"),
        step_timeout=STEP_TIMEOUT,
    )
    ended = await laid.section.ended(given, within=90)
    told = await laid.section.told(ended)
    return ended, {id.rpartition("/")[2]: became for id, became in told.items()}


async def test_operations_end_as_their_authors_say_and_neighbours_do_not_notice(
    mariadb: MariaDB, tmp_path: Path
) -> None:
    async with ground(mariadb, tmp_path, replicas=1) as laid:
        await set_up(laid)
        ends = dict(
            zip(
                POLICIES,
                await asyncio.gather(*(started(laid, each) for each in POLICIES)),
                strict=True,
            )
        )
        assert {phase(ended) for ended, _ in ends.values()} == {"ERROR"}
        assert ends[STOP][1] == FAILED
        assert ends[CONTINUE][1] == {**FAILED, "high": ("COMPLETED", "Reached")}
        back = {name.rstrip("<"): end for name, end in ends[ROLL_BACK][1].items() if "<" in name}
        assert {name: state for name, (state, _) in back.items()} == dict.fromkeys(
            ("low", "well", RAISES, HANGS, DIES), "COMPLETED"
        )
        assert {name: end for name, end in ends[ROLL_BACK][1].items() if "<" not in name} == FAILED

        # As many starts as there were orders: none failed or was repeated for their sake.
        starts = Counter(each.id for each in laid.notes() if each.what == "starts")
        for policy in POLICIES:
            assert starts[f"LAB/{policy}/low"] == starts[f"LAB/{policy}/well"] == 1
            assert starts[f"LAB/{policy}/high"] == (1 if policy == CONTINUE else 0)
            assert starts[f"LAB/{policy}/{DIES}"] >= 1

        laid.fail()
        mended = await laid.section.order(START, recover=True)
        mended = await laid.section.ended(mended, within=90)
        assert phase(mended) == "COMPLETED", mended.message
        assert set((await laid.section.states()).values()) == {"RUNNING"}
