"""The page for those who come from !CHAOS: its table is the one that is served, its commands run,
and the names that the façade writes are those that files are read with."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from control_units.importers.chaos.attributes import SPELLINGS
from control_units.importers.chaos.attributes import TYPES as READ_TYPES
from control_units.importers.chaos.parameters import KNOWN
from metadata_server.api.chaos.commands import COMMANDS, OF_UNITS, OTHERS
from metadata_server.api.chaos.words import FACETS, PARAMETERS, TYPES
from tests.chaos_facade.facility import document
from tests.stages.nursery import BIN
from tests.stages.replica import Replica

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "coming-from-chaos.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_table_of_the_page_is_the_one_that_is_served() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "generate_chaos_table.py"), "--check"]
    subprocess.run(tool, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_each_command_is_there_once() -> None:
    assert len(OF_UNITS) + len(OTHERS) == len(COMMANDS)
    assert len({each.name for each in COMMANDS}) == len(COMMANDS)
    assert all(each.here for each in COMMANDS)
    assert all(each.run is not None for each in COMMANDS if each.mutates)


def test_what_is_written_is_what_files_are_read_with() -> None:
    assert FACETS.keys() == SPELLINGS.keys()
    assert all(name in SPELLINGS[facet] for facet, name in FACETS.items())
    assert PARAMETERS.keys() == KNOWN.keys()
    assert all(name in KNOWN[own].spellings for own, name in PARAMETERS.items())
    assert {str(number): own for own, number in TYPES.items()}.keys() == READ_TYPES.keys()
    assert all(TYPES[own] == int(number) for number, own in READ_TYPES.items())


async def test_the_commands_of_the_page_run(tmp_path: Path, warm_bin: Path) -> None:
    replica = Replica(
        f"sqlite:///{tmp_path / 'mds.sqlite'}", tmp_path, environment={"MDS_CHAOS_FACADE": "write"}
    )
    (tmp_path / "facility.json").write_text(json.dumps(document()))
    script = "".join(BLOCK.findall(PAGE.read_text()))
    script = script.replace("localhost:7401", replica.http.removeprefix("http://"))
    environment = {
        "MDS_ADDRESS": replica.address,
        "PATH": f"{warm_bin}:{BIN}:{os.environ['PATH']}",
    }
    try:
        await replica.start()
        process = await asyncio.create_subprocess_exec(
            "bash", "-euxo", "pipefail", "-c", script,
            cwd=tmp_path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment},
        )  # fmt: skip
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()[-3000:]
    finally:
        replica.program.clear()
