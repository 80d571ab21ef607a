"""Unit servers as programs of their own, as people and agents start and end them."""

import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from mds.v1 import bundle_pb2, control_unit_pb2, template_pb2, unit_server_pb2
from mds.v1.state_pb2 import Contact

from control_units import State
from control_units.client import Client
from tests.sdk.laboratory import Laboratory, laboratory
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SHORT_LEASE = {"MDS_LEASE_S": "3", "MDS_HEARTBEAT_S": "0.9"}

STUBBORN = """
import asyncio
from control_units import ControlUnit, run, running

running.ENDING_S = 2.0


class Stubborn(ControlUnit):
    hook_deadline = 0.2

    async def on_stop(self):
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass


run(Stubborn, unit_server="{unit_server}", take_over={take_over})
"""

AGAIN = """
import time
from control_units import ControlUnit, run, running

running.ENDING_S = 0.5


class Anything(ControlUnit):
    pass


try:
    run(Anything, unit_server="{unit_server}")
except SystemExit as end:
    print(end)
time.sleep(1.5)
print("it went on")
"""

Start = Callable[..., Program]


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    folder = tmp_path_factory.mktemp("replica")
    found = Replica(f"sqlite:///{folder}/mds.sqlite", folder, environment=SHORT_LEASE)
    found.program.start()
    yield found
    found.program.clear()


@pytest.fixture
async def lab(replica: Replica, tmp_path: Path) -> AsyncIterator[Laboratory]:
    await replica.ready()
    async with laboratory(replica.address, tmp_path / "state") as found:
        yield found


@pytest.fixture
def start(replica: Replica, tmp_path: Path) -> Iterator[Start]:
    """Starts programs that talk to the replica."""
    programs: list[Program] = []

    def begin(*command: str) -> Program:
        program = Program(
            command,
            log=tmp_path / f"program-{len(programs)}.log",
            environment={
                "MDS_ADDRESS": replica.address,
                "MDS_STATE_FOLDER": str(tmp_path / "state"),
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "proto")]),
            },
        )
        programs.append(program)
        program.start()
        return program

    yield begin
    for program in programs:
        program.clear()


async def states_of(client: Client, unit_server: str) -> dict[str, State]:
    page = await client.control_units.ListControlUnitStatuses(
        control_unit_pb2.ListControlUnitStatusesRequest(unit_server=f"unit_servers/{unit_server}")
    )
    return {
        each.name.removeprefix("control_unit_statuses/"): State(each.state)
        for each in page.control_unit_statuses
    }


async def declare(lab: Laboratory, implementation: str) -> None:
    """One unit, `{lab.name}/A`, of a class."""
    await lab.apply(
        [
            bundle_pb2.BundleItem(
                template=template_pb2.Template(
                    name=f"templates/{implementation}", implementation=implementation
                )
            ),
            bundle_pb2.BundleItem(
                unit_server=unit_server_pb2.UnitServer(name=f"unit_servers/{lab.name}")
            ),
            bundle_pb2.BundleItem(
                control_unit=control_unit_pb2.ControlUnit(
                    name=f"control_units/{lab.name}/A",
                    template=f"templates/{implementation}",
                    unit_server=f"unit_servers/{lab.name}",
                    desired_state=int(State.RUNNING),  # type: ignore[arg-type]  # the same numbers
                )
            ),
        ]
    )


async def test_the_tutorial_goes_as_it_says(lab: Laboratory, start: Start) -> None:
    mds = str(Path(sys.executable).parent / "mds")
    file = str(ROOT / "examples" / "laboratory.yaml")
    thermometer = (sys.executable, str(ROOT / "examples" / "thermometer.py"))

    importing = start(mds, "import", "facility", file, "--reason", "the tutorial")
    assert await importing.ended() == 0, importing.output()

    first = start(*thermometer)
    running = {"LAB/BATH/TEMPERATURE": State.RUNNING, "LAB/OVEN/TEMPERATURE": State.RUNNING}

    async def both_run() -> bool:
        return await states_of(lab.client, "LAB_0") == running

    await until(both_run)
    lives = start(mds, "lives", "LAB/OVEN/TEMPERATURE")
    assert await lives.ended() == 0
    assert "RUNNING" in lives.output()

    second = start(*thermometer)
    assert await second.ended() == 1
    assert f"held by another process: process {first.pid} on" in second.output()

    first.kill()

    async def contact_is(contact: str) -> bool:
        status = await lab.client.unit_servers.GetUnitServerStatus(
            unit_server_pb2.GetUnitServerStatusRequest(name="unit_server_statuses/LAB_0")
        )
        return Contact.Name(status.contact) == f"CONTACT_{contact}"

    await until(lambda: contact_is("LOST"))
    third = start(*thermometer)
    await until(lambda: contact_is("ALIVE"))
    await until(both_run)
    assert await third.terminate() == 0, third.output()
    assert set((await states_of(lab.client, "LAB_0")).values()) == {State.UNLOADED}


async def test_simulate_hosts_whatever_is_declared(lab: Laboratory, start: Start) -> None:
    await declare(lab, "::site::SomePowerSupply")
    program = start(str(Path(sys.executable).parent / "mds"), "simulate", lab.name)
    await lab.until_states(A=State.RUNNING)
    configuration = await lab.client.control_units.GetConfiguration(
        control_unit_pb2.GetConfigurationRequest(name=f"control_units/{lab.name}/A")
    )
    assert "current_readback" in [each.name for each in configuration.attributes]
    assert await program.terminate() == 0, program.output()
    await lab.until_states(A=State.UNLOADED)


async def test_its_log_names_its_calls_as_the_log_of_the_server_does(
    lab: Laboratory, start: Start, replica: Replica
) -> None:
    await declare(lab, "Anything")
    program = start(str(Path(sys.executable).parent / "mds"), "simulate", lab.name)
    await lab.until_states(A=State.RUNNING)
    lines = [json.loads(line) for line in program.output().splitlines()]
    (registered,) = (line for line in lines if line["event"] == "registered")
    (served,) = (
        line
        for line in map(json.loads, replica.program.output().splitlines())
        if line.get("request_id") == registered["request_id"] and line["event"] == "call"
    )
    assert served["method"] == "Registration.Register"
    assert await program.terminate() == 0, program.output()


async def test_simulate_takes_over_only_when_told(lab: Laboratory, start: Start) -> None:
    await declare(lab, "Anything")
    simulate = (str(Path(sys.executable).parent / "mds"), "simulate", lab.name)
    first = start(*simulate)
    await lab.until_states(A=State.RUNNING)
    assert await start(*simulate).ended() == 1
    start(*simulate, "--take-over")
    assert await first.ended() == 1
    assert "This one lets go of its hardware" in first.output()
    await lab.until_states(A=State.RUNNING)


async def test_a_hook_that_cannot_be_ended_does_not_keep_the_process(
    lab: Laboratory, start: Start, tmp_path: Path
) -> None:
    await declare(lab, "Stubborn")
    program = start(sys.executable, stubborn(lab, tmp_path))
    await lab.until_states(A=State.RUNNING)
    assert await program.terminate(within=10) == 1
    assert not (await lab.session()).HasField("end_time"), "its device was driven until then"


async def test_nor_does_it_keep_one_whose_place_another_process_has_taken(
    lab: Laboratory, start: Start, tmp_path: Path
) -> None:
    await declare(lab, "Stubborn")
    first = start(sys.executable, stubborn(lab, tmp_path))
    await lab.until_states(A=State.RUNNING)
    before = (await lab.session()).session
    second = start(sys.executable, stubborn(lab, tmp_path, take_over=True))

    async def is_taken() -> bool:
        return (await lab.session()).session != before

    await until(is_taken)
    assert await first.ended() == 1
    assert f"held by another process: process {second.pid} on" in first.output()
    await lab.until_states(A=State.RUNNING)
    second.check_running()


async def test_a_program_goes_on_after_a_run_that_found_its_place_taken(
    lab: Laboratory, start: Start, tmp_path: Path
) -> None:
    await declare(lab, "Anything")
    start(str(Path(sys.executable).parent / "mds"), "simulate", lab.name)
    await lab.until_states(A=State.RUNNING)
    script = tmp_path / "again.py"
    script.write_text(AGAIN.format(unit_server=lab.name))
    program = start(sys.executable, str(script))
    assert await program.ended() == 0, program.output()
    assert "held by another process" in program.output()
    assert "it went on" in program.output()


def stubborn(lab: Laboratory, folder: Path, *, take_over: bool = False) -> str:
    """A program whose unit cannot be stopped."""
    script = folder / f"stubborn-{take_over}.py"
    script.write_text(STUBBORN.format(unit_server=lab.name, take_over=take_over))
    return str(script)


async def test_an_address_that_is_none_is_named(start: Start, tmp_path: Path) -> None:
    script = tmp_path / "wrong.py"
    script.write_text(
        "from control_units import run\nrun(unit_server='A', address='nowhere:port')\n"
    )
    program = start(sys.executable, str(script))
    assert await program.ended() == 1
    assert "'nowhere:port' is no address of a server" in program.output()
    assert "Traceback" not in program.output()
