"""Processes are killed while an operation is under way: it ends as its plan says, all the same.
`python -m tests.operations.rounds` does the same for as long as one likes."""

import random
from pathlib import Path

import pytest
from mds.v1.operation_pb2 import OnFailure

from tests.operations.ground import ground
from tests.operations.rounds import Round, play, set_up
from tests.operations.section import START, STOP
from tests.stages.mariadb import MariaDB

pytestmark = pytest.mark.timeout(240)
ROUNDS = (
    Round(START, "replica killed", 0.3, at_once=4),
    Round(STOP, "database killed", 0.2),
    Round(
        START, "unit server killed", 0.3, at_once=4, failing="1B",
        on_failure=OnFailure.ON_FAILURE_ROLL_BACK,
    ),
    Round(STOP, "agent killed", 0.1),
)  # fmt: skip
# One lease of an operation, and time for machines that do much else.
LONGEST_GAP_S = 10.0


async def test_operations_end_as_planned_whatever_is_killed_meanwhile(
    mariadb: MariaDB, tmp_path: Path
) -> None:
    rng = random.Random(4)
    async with ground(mariadb, tmp_path, replicas=2) as laid:
        await set_up(laid)
        told = [await play(laid, each, rng) for each in ROUNDS]
    assert [each.phase for each in told] == ["COMPLETED", "COMPLETED", "ERROR", "COMPLETED"]
    assert told[0].gap_s is None or told[0].gap_s < LONGEST_GAP_S
