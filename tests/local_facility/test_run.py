"""`mds run`: a facility comes up, is hurt, and ends without leaving anything behind."""

import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from mds.v1.token_pb2 import WhoAmIRequest

from control_units.client import Client
from tests.stages.nursery import STARTED_MDS
from tests.stages.ports import free_port, is_open
from tests.stages.program import Program
from tests.stages.waiting import until

FACILITY = """\
templates:
  - id: site::Heater
    implementation: ::site::Heater
    attributes:
      - {name: power, direction: INPUT, type: DOUBLE, unit: W, default_value: "5", minimum: "0", maximum: "90"}
      - {name: temperature, direction: OUTPUT, type: DOUBLE, unit: degC}
unit_servers:
  - id: NORTH
  - id: SOUTH
control_units:
  - {id: HALL/A, template: site::Heater, template_version: 1, unit_server: NORTH, desired_state: RUNNING}
  - {id: HALL/B, template: site::Heater, template_version: 1, unit_server: NORTH, desired_state: RUNNING}
  - {id: HALL/C, template: site::Heater, template_version: 1, unit_server: SOUTH, desired_state: RUNNING}
"""
UP = "3 of 3 control units RUNNING"
Settings = dict[str, str]


class Run:
    """One `mds run`."""

    def __init__(self, file: Path, folder: Path, **settings: str) -> None:
        self.grpc, self.http, self.web = free_port(), free_port(), free_port()
        self.program = Program.mds(
            "run",
            str(file),
            log=folder / f"run-{self.grpc}.log",
            environment={
                "XDG_DATA_HOME": str(folder / "data"),
                "MDS_GRPC_PORT": str(self.grpc),
                "MDS_HTTP_PORT": str(self.http),
                "MDS_WEB_PORT": str(self.web),
                **settings,
            },
        )

    async def says(self, text: str, *, within: float = 40) -> None:
        def said() -> bool:
            if text in self.program.output():
                return True
            self.program.check_running()
            return False

        await until(said, within=within, what=f"{text!r} of mds run")

    def children(self) -> dict[str, psutil.Process]:
        """Processes by what they do: `serve`, `web`, `simulate NORTH`."""
        commands = {}
        for child in psutil.Process(self.program.pid).children():
            words = child.cmdline()
            after = next(n for n, word in enumerate(words) if Path(word).name == "mds") + 1
            commands[" ".join(words[after:])] = child
        return commands


@pytest.fixture
def warm(warm_bin: Path) -> Settings:
    """Has an `mds run` start programs with their modules loaded: four starts are most of its cost."""
    return {STARTED_MDS: str(warm_bin / "mds")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(FACILITY)
    return path


@asynccontextmanager
async def ended_after(run: Run) -> AsyncIterator[Run]:
    """Starts it, and ends it whatever becomes of it."""
    run.program.start()
    try:
        yield run
    finally:
        if run.program.is_running():
            await run.program.terminate(within=30)
        run.program.clear()


@pytest.fixture
async def up(file: Path, tmp_path: Path, warm: Settings) -> AsyncIterator[Run]:
    """A facility of three units that has come up."""
    async with ended_after(Run(file, tmp_path, **warm)) as run:
        await run.says(UP)
        yield run


@pytest.fixture
async def installed(file: Path, tmp_path: Path) -> AsyncIterator[Run]:
    """The same, of programs that are started as they are installed."""
    async with ended_after(Run(file, tmp_path)) as run:
        await run.says(UP)
        yield run


async def nothing_is_left(run: Run, processes: list[psutil.Process]) -> None:
    await until(
        lambda: not any(process.is_running() for process in processes),
        what="the end of all child processes",
    )
    for port in (run.grpc, run.http, run.web):
        assert not await is_open(port)


async def test_one_command_brings_a_facility_up(installed: Run) -> None:
    assert set(installed.children()) == {"serve", "web", "simulate NORTH", "simulate SOUTH"}
    assert f"page at http://127.0.0.1:{installed.web}/" in installed.program.output()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_one_signal_ends_everything(up: Run, number: signal.Signals) -> None:
    processes = list(up.children().values())

    os.kill(up.program.pid, number)

    assert await up.program.ended(within=30) == 0
    await nothing_is_left(up, processes)
    assert "killed" not in up.program.output()


async def test_being_killed_leaves_nothing_behind_either(installed: Run) -> None:
    processes = list(installed.children().values())

    os.kill(installed.program.pid, signal.SIGKILL)

    await nothing_is_left(installed, processes)


async def test_the_end_of_a_unit_server_is_told_and_the_others_go_on(up: Run) -> None:
    up.children()["simulate NORTH"].kill()

    await up.says("unit server NORTH")
    assert re.search(
        r"unit server NORTH \(process \d+\) was ended by signal 9", up.program.output()
    )
    assert "NORTH.log" in up.program.output()
    assert {"serve", "web", "simulate SOUTH"} <= set(up.children())


async def test_the_end_of_the_server_ends_everything_and_says_why(up: Run) -> None:
    processes = up.children()

    processes["serve"].kill()

    assert await up.program.ended(within=30) == 1
    assert re.search(r"The server \(process \d+\) was ended by signal 9", up.program.output())
    await nothing_is_left(up, list(processes.values()))


async def test_a_server_that_asks_for_tokens_has_one_made_for_its_own_facility(
    file: Path, tmp_path: Path, warm: Settings
) -> None:
    async with ended_after(Run(file, tmp_path, MDS_AUTHENTICATION="token", **warm)) as run:
        await run.says(UP)
        (path,) = re.findall(r"MDS_TOKEN_FILE: (\S+)", run.program.output())
        assert Path(path).stat().st_mode & 0o777 == 0o600
        token = Path(path).read_text().strip()
        assert token not in run.program.output()
        async with Client(f"127.0.0.1:{run.grpc}", token=token) as client:
            (unit,) = [each async for each in client.control_units.list(filter="id:HALL/A")]
            assert (await client.tokens.WhoAmI(WhoAmIRequest())).principal == "mds-run"
            assert unit.etag


async def test_a_second_copy_is_told_where_the_first_one_is(
    up: Run, file: Path, tmp_path: Path
) -> None:
    second = Run(file, tmp_path)
    second.program.start()

    assert await second.program.ended(within=20) == 1
    said = second.program.output()
    assert f"site.yaml runs already in process {up.program.pid}" in said
    assert f"http://127.0.0.1:{up.web}/" in said


async def test_a_taken_port_is_told_with_its_setting(file: Path, tmp_path: Path) -> None:
    run = Run(file, tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", run.web))
        other.listen()
        run.program.start()
        assert await run.program.ended(within=20) == 1

    assert f"Port {run.web}, for the page, cannot be used" in run.program.output()
    assert f"MDS_WEB_PORT={run.web + 10}" in run.program.output()


async def test_a_file_that_has_not_changed_is_not_imported_again(
    up: Run, file: Path, tmp_path: Path, warm: Settings
) -> None:
    await up.program.terminate(within=30)
    async with ended_after(Run(file, tmp_path, **warm)) as again:
        await again.says(UP)
        assert "site.yaml has not changed since it was imported" in again.program.output()


async def test_a_file_that_has_changed_replaces_what_it_names(
    up: Run, file: Path, tmp_path: Path, warm: Settings
) -> None:
    await up.program.terminate(within=30)
    file.write_text(
        FACILITY + "  - {id: HALL/D, template: site::Heater, unit_server: SOUTH,"
        " desired_state: RUNNING}\n"
    )
    async with ended_after(Run(file, tmp_path, **warm)) as again:
        await again.says("4 of 4 control units RUNNING")


async def test_a_file_with_problems_is_refused_with_all_of_them(
    tmp_path: Path, warm: Settings
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(FACILITY.replace("unit_server: SOUTH", "unit_server: EAST"))
    run = Run(file, tmp_path, **warm)
    run.program.start()

    assert await run.program.ended(within=30) == 1
    assert "EAST" in run.program.output()
    assert "import.log" in run.program.output()


async def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    run = Run(tmp_path / "nowhere.yaml", tmp_path)
    run.program.start()

    assert await run.program.ended(within=20) == 2
    assert "nowhere.yaml' does not exist" in run.program.output()
