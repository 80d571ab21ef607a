"""What the runbooks say in code: commands run as they are written, figures and settings are there.

Needs more than runs here: `systemctl`, `journalctl` and `kubectl` (their units and manifests are held
to be right in tests/cluster), and the case of DatabaseAway in which all nodes were switched off, which tests/chaos plays.
"""

import asyncio
import re
import shlex
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from metadata_server.settings import Settings
from tests.cli.conftest import run_mds
from tests.conftest import StartReplica
from tests.stages.galera import Galera, two_nodes, what_is_missing
from tests.stages.nursery import BIN
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.requirements import needs
from tests.stages.waiting import until

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
PAGES = {page.stem: page.read_text() for page in RUNBOOKS.glob("*.md") if page.stem != "README"}
TERMS = [
    (page, term)
    for page, text in sorted(PAGES.items())
    for term in dict.fromkeys(re.findall(r"`([^`\n]+)`", text))
]
COMMANDS = [(page, term) for page, term in TERMS if re.match(r"(mds|curl) ", term)]
QUERIES = [(page, term) for page, term in TERMS if re.match(r"(SHOW|SET) ", term)]
ELSEWHERE = ("systemctl ", "journalctl ", "kubectl ", "docker compose ")
VERBS = {"mds apply", "mds edit", "mds backup"}
"""Spoken of, with no word of what they shall be done with."""
SAYS = {
    "mds agent status": "HALL",
    "mds unit-server start ID": "HALL/PUMPS",
    "mds list control_units --filter health=BAD": "LAB/PS",
    "mds show ID": "the interlock is open",
    "mds explain ID": "On version 1 of Supply",
    "mds history ID": "recover_count",
    "mds config": "MDS_DATABASE_URL",
    "curl http://SERVER:7401/healthz/ready": "ready",
}
"""What an answer has that is of use."""
OF_GALERA = {
    "Joined", "Joining", "IST", "Primary", "SST", "Synced", "grastate.dat", "max_connections",
    "non-Primary", "safe_to_bootstrap: 1", "wsrep_last_committed", "wsrep_local_state_comment",
}  # fmt: skip
FACILITY = """
templates:
- id: Supply
  implementation: Supply
agents:
- id: HALL
unit_servers:
- id: LAB
- id: HALL/PUMPS
  launch: {agent: HALL, command: 'true'}
control_units:
- id: LAB/PS
  template: Supply
  unit_server: LAB
  desired_state: RUNNING
"""
UNIT_SERVER = """
import sys
from pathlib import Path
from control_units import ControlUnit, RecoverableError, run


class Supply(ControlUnit):
    recover_pause = 300.0

    async def on_start(self):
        if not Path(sys.argv[1]).exists():
            raise RecoverableError("the interlock is open")


run(Supply, unit_server="LAB")
"""


def test_a_term_in_code_is_something_that_there_is() -> None:
    """Figures, settings, reasons, words of the log, labels: in the sources, or in the reference."""
    kept = "".join(
        each.read_text()
        for folder in ("metadata_server", "control_units", "webui", "proto", "deploy", "docs/reference")
        for each in (ROOT / folder).rglob("*")
        if each.suffix in {".py", ".proto", ".cfg", ".md", ".yml"} and "runbooks" not in each.parts
    )  # fmt: skip
    figures = set(re.findall(r"^\| `(mds_\w+)`", kept, re.MULTILINE))
    settings = {f"MDS_{name.upper()}" for name in Settings.model_fields} | {"MDS_ADDRESS"}
    unknown = []
    for page, term in TERMS:
        if (page, term) in {*COMMANDS, *QUERIES} or term in OF_GALERA or term.startswith(ELSEWHERE):
            continue
        names = {name.removesuffix("_bucket") for name in re.findall(r"\bmds_[a-z_]+", term)}
        variables = set(re.findall(r"MDS_[A-Z_]+", term))
        if names or variables:
            is_known = names <= figures and variables <= settings
        else:
            is_known = term in kept or (ROOT / term).exists() or term.split(": ")[-1] in kept
        unknown += [] if is_known else [(page, term)]
    assert unknown == []


@pytest.fixture
async def facility(
    start_replica: StartReplica, sqlite_database: str, tmp_path: Path
) -> AsyncIterator[Replica]:
    """One with a unit that is in error until the file `mended` is there."""
    replica = await start_replica(sqlite_database)
    (tmp_path / "facility.yaml").write_text(FACILITY)
    (tmp_path / "lab.py").write_text(UNIT_SERVER)
    environment = {"MDS_ADDRESS": replica.address, "MDS_STATE_FOLDER": str(tmp_path / "state")}
    file = str(tmp_path / "facility.yaml")
    loaded = await run_mds("apply", file, "--yes", environment=environment)
    assert loaded.code == 0, loaded.err
    units = Program(
        [str(BIN / "python"), str(tmp_path / "lab.py"), str(tmp_path / "mended")],
        log=tmp_path / "units.log",
        environment=environment,
    )
    units.start()
    try:
        await until(lambda: is_in(replica, "RECOVERABLE_ERROR"), within=90, what=units.last_lines())
        yield replica
    finally:
        units.clear()


async def is_in(replica: Replica, state: str) -> bool:
    said = await run_mds("show", "LAB/PS", environment={"MDS_ADDRESS": replica.address})
    return f"state: {state}" in said.out


async def test_commands_run_as_they_are_written(facility: Replica, tmp_path: Path) -> None:
    needs("" if shutil.which("curl") else "There is no curl: apt-get install curl.")
    ids = {"UnitServersLost": "HALL/PUMPS", "UnitsAreBad": "LAB/PS"}
    wrong = []
    for page, term in COMMANDS:
        if term in VERBS:
            written = f"{term} --help"
        else:
            written = re.sub(r"\bID\b", ids.get(page, ""), term)
            written = written.replace("http://SERVER:7401", facility.http).replace("WHY", "tests")
            written = re.sub(r"\bREVISION\b", "last --yes", written)
            written = written.replace("/var/backups", str(tmp_path))
        if term.startswith("mds recover"):
            (tmp_path / "mended").touch()
        code, said = await ran(written, facility)
        if code != 0 or SAYS.get(term, "") not in said:
            wrong.append(f"{page}: {written}\n{said}")
        if term.startswith("mds recover"):
            await until(lambda: is_in(facility, "RUNNING"), within=60)
    assert not wrong, "\n".join(wrong)


async def ran(command: str, replica: Replica) -> tuple[int | None, str]:
    """How a command ends, and what it says."""
    program, *arguments = shlex.split(command)
    if program == "mds":
        environment = {"MDS_ADDRESS": replica.address, "MDS_DATABASE_URL": replica.database}
        ended = await run_mds(*arguments, environment=environment)
        return ended.code, ended.out + ended.err
    process = await asyncio.create_subprocess_exec(
        program, *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Galera, Galera]]:
    needs(what_is_missing(join=True))
    with two_nodes(tmp_path) as both:
        yield both


async def test_what_is_asked_of_the_database_and_told_to_it_does_what_the_page_says(
    nodes: tuple[Galera, Galera],
) -> None:
    """The other node is gone for good: the one that is left is told to go on."""
    left, gone = nodes
    assert left.status("wsrep_local_state_comment") == "Synced"
    gone.kill()
    await until(lambda: left.status("wsrep_cluster_status") == "non-Primary", within=30)
    assert int(left.status("wsrep_last_committed")) > 0
    for _, query in QUERIES:
        left.execute(query)
    await until(lambda: left.status("wsrep_cluster_status") == "Primary", within=30)
    left.create_database()
