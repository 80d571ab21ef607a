"""Where a log cannot be written, all else goes on: its lines are lost, and nothing else."""

from pathlib import Path

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.variable_pb2 import CreateVariableRequest, UpdateVariableRequest, Variable

from control_units.client import Client, Stale
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

FULL = Path("/dev/full")
"""Writing to it fails as on a disk without room."""
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="There is no /dev/full here.")


def start_without_room(program: Program, kept: Path) -> None:
    program.log = FULL
    program.start()
    program.log = kept  # what is read where the test fails: /dev/full has no end


def changed(variable: Variable) -> UpdateVariableRequest:
    return UpdateVariableRequest(variable=variable, update_mask=FieldMask(paths=["value"]))


async def test_a_server_that_cannot_write_its_log_serves(
    sqlite_database: str, tmp_path: Path
) -> None:
    replica = Replica(sqlite_database, tmp_path, environment={"MDS_LOG_LEVEL": "debug"})
    start_without_room(replica.program, tmp_path / "none")
    try:
        await replica.ready()
        client = Client(replica.address, principal="somebody")
        variable = Variable(name="variables/A", value="1")
        created = await client.variables.CreateVariable(CreateVariableRequest(variable=variable))
        variable.etag = "stale"
        with pytest.raises(Stale):  # a refusal has a line of its own
            await client.variables.UpdateVariable(changed(variable))
        variable.etag = created.etag
        await client.variables.UpdateVariable(changed(variable))
        await client.close()
        await replica.terminate()  # its status is that of its last words, which are lost
    finally:
        replica.program.clear()


async def test_a_unit_server_that_cannot_write_its_log_goes_on(tmp_path: Path) -> None:
    environment = {"MDS_ADDRESS": "127.0.0.1:9", "XDG_STATE_HOME": str(tmp_path)}
    program = Program.mds("simulate", "LAB/A", log=FULL, environment=environment)
    start_without_room(program, tmp_path / "none")
    try:
        # Nobody answers: it warns again and again.
        with pytest.raises(AssertionError, match="Waited"):
            await until(lambda: not program.is_running(), within=6)
    finally:
        program.clear()
