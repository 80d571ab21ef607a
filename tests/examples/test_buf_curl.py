"""The session of a shell: `buf curl`, which knows the protocol from the server's reflection."""

import asyncio
import os
from pathlib import Path

from mds.v1.template_pb2 import Template

from control_units.client import Client
from tests.conftest import StartReplica
from tests.stages.nursery import BIN

SESSION = Path(__file__).resolve().parents[2] / "examples" / "buf-curl" / "session.sh"


async def test_a_shell_lists_edits_and_watches(
    start_replica: StartReplica, sqlite_database: str, tmp_path: Path
) -> None:
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await client.templates.create(Template(name="templates/T", implementation="T"))
    process = await asyncio.create_subprocess_exec(
        str(SESSION),
        f"http://{replica.address}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "BUF_CACHE_DIR": str(tmp_path)},
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    said = output.decode()
    assert process.returncode == 0, said
    assert "mds.v1.ControlUnits" in said
    refusals = ("aborted", "not_found", "invalid_argument")
    assert all(f"refused, as it should be: {code}" in said for code in refusals)
    told = said.rpartition("Watch/Watch")[2]
    places = [told.index(f"EVENT_ACTION_{each}") for each in ("CREATED", "UPDATED", "DELETED")]
    assert places == sorted(places)
    assert '"name": "templates/T"' not in told, "it watches variables only"
