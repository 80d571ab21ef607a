"""Without any fault nothing is wrong: loads, clients and checker on one real replica."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from control_units.client import Client
from tests.chaos.checker import violations
from tests.chaos.final_state import FinalState, position_now, read_final_state
from tests.chaos.history import (
    Bundle,
    Granted,
    History,
    Ordered,
    Outcome,
    Read,
    Recorder,
    Reported,
    Word,
    Write,
    read_history,
)
from tests.chaos.loads import Load
from tests.chaos.loads.catalogue import make_load
from tests.conftest import StartReplica
from tests.stages.waiting import until

SETTINGS = {"MDS_LEASE_S": "3", "MDS_HEARTBEAT_S": "1"}
UNITS = 12


@dataclass(frozen=True)
class OneReplica:
    """See `loads.Stage`."""

    address: str
    replicas: Sequence[str]
    recorder: Recorder
    folder: Path
    units: int


async def play(stage: OneReplica, load: Load) -> tuple[History, FinalState]:
    """One round, until something of everything has happened."""
    async with Client(stage.address) as client:
        begin = await position_now(client)
        try:
            await load.prepare(stage)
            stop = asyncio.Event()
            running = asyncio.create_task(load.run(stop))
            await until(lambda: has_all(stage), within=15.0, what="calls of all kinds")
            await load.settle()
            stop.set()
            await running
        finally:
            await load.close()
        history = read_history(*sorted(stage.folder.glob("*.jsonl")))
        orders = [each.operation for each in history.of(Ordered)]
        final = await read_final_state(client, begin, probes=load.probes, operations=orders)
        return history, final


def has_all(stage: OneReplica) -> bool:
    stage.recorder.flush()
    history = read_history(stage.recorder.path)
    kinds = (Write, Read, Word, Reported, Bundle, Ordered)
    return all(history.of(each) for each in kinds) and len(history.of(Granted)) > 1


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
async def test_without_faults_nothing_is_wrong(
    start_replica: StartReplica, database: str, tmp_path: Path
) -> None:
    replica = await start_replica(database, environment=SETTINGS)
    folder = tmp_path / "round"
    folder.mkdir()
    with Recorder(folder / "probes.jsonl") as recorder:
        stage = OneReplica(replica.address, [replica.address], recorder, folder, UNITS)
        history, final = await play(stage, make_load("mixed"))
    assert not [str(each) for each in violations(history, final, is_broken=False)]
    unanswered = [each for each in history.of(Write) if each.outcome is Outcome.UNKNOWN]
    assert not unanswered, unanswered
    assert any(each.steps for each in final.operations.values()), "nothing was ordered"
    assert violations(history, replace(final, versions=final.versions[:-1])), "it looks at nothing"
