"""The commands of the how-to pages run as they are written."""

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from control_units.cli.servers.run import example_facility
from tests.cli.conftest import run_mds
from tests.conftest import StartReplica
from tests.stages.nursery import BIN
from tests.stages.requirements import needs

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
PAGES = (
    "command-line.md",
    "change-many-units.md",
    "publish-a-template.md",
    "undo-and-history.md",
    "keep-a-facility-in-files.md",
    "audit-a-facility.md",
    "compare-snapshots.md",
    "start-a-section.md",
    "order-units.md",
    "filter.md",
    "unit-lists.md",
    "a-unit-that-will-not-start.md",
    "campaigns.md",
    "maintenance.md",
    "run-an-agent.md",
    "guards.md",
    "webhooks.md",
    "rest.md",
    "follow-a-request.md",
    "openapi.md",
    "back-up-and-restore.md",
)
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Stands for the reader who looks at a plan and says yes; a plan that may have something to do is
# no failure.
READER = """
mds() {
  case "$*" in
    *--detailed-exit-code*) command mds "$@" || test $? = 4; return;;
    *--dry-run*|*--yes*) ;;
    agent\\ run\\ *) exec mds "$@";;  # in the background: it is what a signal shall reach
    start\\ *|stop\\ *|apply\\ *|edit\\ *|undo\\ *|revert\\ *|delete\\ *|template\\ rebase\\ *) set -- "$@" --yes;;
  esac
  command mds "$@"
}
"""


@pytest.mark.parametrize("page", PAGES)
async def test_the_commands_of_a_page_run(
    page: str, start_replica: StartReplica, sqlite_database: str, tmp_path: Path
) -> None:
    needs("" if shutil.which("curl") else "There is no curl: apt-get install curl.")
    replica = await start_replica(sqlite_database)
    environment = {
        "MDS_ADDRESS": replica.address,
        "MDS_DATABASE_URL": sqlite_database,
        "MDS_HTTP_ADDRESS": replica.http,
        "MDS_STATE_FOLDER": str(tmp_path / "state"),
    }
    loaded = await run_mds("apply", str(example_facility()), "--yes", environment=environment)
    assert loaded.code == 0, loaded.err
    script = "".join(BLOCK.findall((HOW_TO / page).read_text()))
    folder = tmp_path / "reader"
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        "bash", "-euxo", "pipefail", "-c", READER + script,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment, "PATH": f"{BIN}:{os.environ['PATH']}"},
    )  # fmt: skip
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-3000:]
