"""The commands of the how-to pages run as they are written."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from control_units.cli.servers.run import example_facility
from tests.cli.conftest import run_mds
from tests.conftest import StartReplica
from tests.stages.nursery import BIN
from tests.stages.requirements import needs

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs" / "how-to"
UNITS = ROOT / "deploy" / "systemd"
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
    "upgrade.md",
    "find-replicas.md",
    "limits.md",
    "import-in-the-browser.md",
    "watch.md",
)
ELSEWHERE = {
    "break-a-cluster.md": "needs a cluster, and hours; its options are held against the program's",
    "coming-from-chaos.md": "tests/chaos_facade/test_how_to.py",
    "edit-in-the-browser.md": "is about pages: tests/webui",
    "import-a-facility.md": "names files of a facility: tests/importers",
    "keep-less-history.md": "has settings only: tests/docs/test_settings.py",
    "lists.md": "is about pages: tests/webui",
    "log-in.md": "tests/access/test_how_to.py",
    "overview-page.md": "is about pages: tests/webui",
    "python-client.md": "tests/client/test_how_to.py",
    "release.md": "writes into the tree, for minutes; tests/releases run on what it has written",
    "require-a-reason.md": "has a policy only: tests/cli",
    "run-a-facility.md": "runs until somebody ends it: tests/local_facility",
    "run-on-kubernetes.md": "needs a cluster; what is applied is held in tests/cluster",
    "run-on-mariadb.md": "needs a database with a user of its own: each test on MariaDB does it",
    "run-under-systemd.md": "installs on a host; its units are held in tests/cluster",
    "see-who-is-alive.md": "has no commands",
    "tokens.md": "tests/access/test_how_to.py",
    "two-load-balancers.md": "needs five hosts; what clients do is held in tests/cluster",
    "translate-the-page.md": "makes files of a translator: tests/webui",
}
"""Pages that are not among them, and why: who runs what they say, or why nobody can."""
SYSTEMD = re.compile(r"^systemctl \w+(?: --now)? ([\w@.-]+)", re.MULTILINE)
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Stands for the reader who looks at a plan and says yes; a plan that may have something to do is
# no failure.
READER = """
mds() {
  case "$*" in
    *--detailed-exit-code*) command mds "$@" || test $? = 4; return;;
    *--dry-run*|*--yes*) ;;
    serve|agent\\ run\\ *) exec mds "$@";;  # in the background: it is what a signal shall reach
    start\\ *|stop\\ *|apply\\ *|edit\\ *|undo\\ *|revert\\ *|delete\\ *|template\\ rebase\\ *) set -- "$@" --yes;;
  esac
  command mds "$@"
}
"""


def test_each_page_is_run_or_says_why_not() -> None:
    pages = {each.name for each in HOW_TO.glob("*.md")} - {"README.md"}
    assert pages == set(PAGES) | set(ELSEWHERE)
    assert not set(PAGES) & set(ELSEWHERE)


def test_what_is_told_to_systemd_is_one_of_our_units() -> None:
    """Nothing here runs systemd: its units are held to be right in tests/cluster."""
    units = {each.name.replace("@", "").removesuffix(".service") for each in UNITS.iterdir()}
    for page in HOW_TO.glob("*.md"):
        for name in SYSTEMD.findall(page.read_text()):
            assert name.partition("@")[0] in units, (page.name, name)


def test_options_of_the_chaos_that_a_page_names_are_there() -> None:
    text = (HOW_TO / "break-a-cluster.md").read_text()
    options = set(re.findall(r"(?<![\w-])--[a-z]+", text)) - {"--help"}
    assert {"--rounds", "--minutes"} < options
    told = "".join(
        subprocess.run(
            [sys.executable, "-m", "tests.chaos", *words, "--help"],
            capture_output=True, text=True, check=True, timeout=60, cwd=ROOT,
        ).stdout
        for words in ((), ("soak",))
    )  # fmt: skip
    assert not {each for each in options if each not in told}


@pytest.mark.parametrize("page", PAGES)
async def test_the_commands_of_a_page_run(
    page: str, start_replica: StartReplica, sqlite_database: str, tmp_path: Path, warm_bin: Path
) -> None:
    needs("" if shutil.which("curl") else "There is no curl: apt-get install curl.")
    replica = await start_replica(sqlite_database)
    environment = {
        "MDS_ADDRESS": replica.address,
        "MDS_DATABASE_URL": sqlite_database,
        "MDS_HTTP_ADDRESS": replica.http,
        "MDS_GRPC_PORT": "0",  # of servers that a page starts beside that one
        "MDS_HTTP_PORT": "0",
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
        env={**os.environ, **environment, "PATH": f"{warm_bin}:{BIN}:{os.environ['PATH']}"},
    )  # fmt: skip
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-3000:]
