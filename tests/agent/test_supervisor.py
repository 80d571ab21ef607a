"""Unit servers as an agent runs them, with real processes."""

import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from control_units.agent.folder import AgentFolder
from control_units.agent.launching import UnitServerLaunch
from control_units.agent.pacing import Limits
from control_units.agent.standing import ProcessState, Standing
from control_units.agent.supervisor import Supervisor
from tests.agent.programs import (
    ENDS,
    HAS_A_CHILD,
    QUICK,
    STAYS,
    STUBBORN,
    is_running,
    kept_alive,
    launch,
)
from tests.stages.waiting import until


@pytest.fixture
def folder(tmp_path: Path) -> AgentFolder:
    return AgentFolder("host-1", state_folder=tmp_path)


@pytest.fixture
async def supervisor(folder: AgentFolder) -> AsyncIterator[Supervisor]:
    async with Supervisor(folder, limits=QUICK) as found:
        yield found
        await found.stop_all()


def declare(supervisor: Supervisor, *launches: UnitServerLaunch) -> None:
    supervisor.declare({each.unit_server: each for each in launches})


async def reaches(supervisor: Supervisor, state: ProcessState, id: str = "PS_0") -> Standing:
    def found() -> Standing | None:
        standing = supervisor.standings.get(id, Standing())
        return standing if standing.state is state else None

    return await until(found, what=f"{id} {state}") or Standing()


async def says(supervisor: Supervisor, line: str, id: str = "PS_0") -> None:
    await until(lambda: line in supervisor.last_lines(id, 50), what=f"{line!r} of {id}")


async def test_it_launches_with_folder_environment_and_configuration(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    program = (
        "import os, sys; print(os.getcwd(), os.environ['CRATE'], sys.argv[1], "
        "open(sys.argv[2]).read(), flush=True)"
    )
    ordered = launch(program, "{unit_server}", "{configuration_file}", unit_server="A/B")
    declare(
        supervisor,
        replace(
            ordered,
            configuration="bus=4",
            working_directory=str(tmp_path),
            environment={"CRATE": "7"},
        ),
    )
    await says(supervisor, f"{tmp_path} 7 A/B bus=4", id="A/B")


async def test_what_is_not_to_start_by_itself_is_left_alone(supervisor: Supervisor) -> None:
    declare(supervisor, replace(launch(STAYS), auto_start=False), launch(STAYS, unit_server="B"))
    await reaches(supervisor, ProcessState.RUNNING, "B")
    assert supervisor.standings["PS_0"] == Standing(ProcessState.IDLE)


async def test_a_killed_process_is_launched_again(supervisor: Supervisor) -> None:
    declare(supervisor, kept_alive(launch(STAYS)))
    first = await reaches(supervisor, ProcessState.RUNNING)
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: supervisor.standings["PS_0"].pid not in {0, first.pid}, what="another one")
    assert supervisor.standings["PS_0"].restarts == 1


async def test_what_need_not_be_kept_alive_stays_ended_with_its_status(
    supervisor: Supervisor,
) -> None:
    declare(supervisor, launch(ENDS))
    standing = await reaches(supervisor, ProcessState.ENDED)
    assert standing.fault == "ended with status 3"


async def test_what_dies_each_time_is_given_up_and_its_neighbour_runs(
    supervisor: Supervisor,
) -> None:
    declare(supervisor, kept_alive(launch(ENDS)), launch(STAYS, unit_server="B"))
    standing = await reaches(supervisor, ProcessState.GAVE_UP)
    assert standing.restarts == 3
    assert standing.fault == "ended with status 3. 3 restarts in 60 s are the most."
    assert supervisor.last_lines("PS_0", 50).count("no hardware") == 4
    await reaches(supervisor, ProcessState.RUNNING, "B")


async def test_what_was_given_up_is_tried_again_when_it_is_declared_otherwise(
    supervisor: Supervisor,
) -> None:
    declare(supervisor, kept_alive(launch(ENDS)))
    await reaches(supervisor, ProcessState.GAVE_UP)
    declare(supervisor, kept_alive(launch(STAYS)))
    await reaches(supervisor, ProcessState.RUNNING)


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("/no/such/program", "No such file or directory"),
        ('UnitServer "unclosed', "cannot be split into words"),
        ("", "name the program to run"),
    ],
)
async def test_what_cannot_be_launched_says_why(
    supervisor: Supervisor, command: str, fault: str
) -> None:
    declare(supervisor, replace(launch(STAYS), command=command))
    standing = await reaches(supervisor, ProcessState.GAVE_UP)
    assert fault in standing.fault


async def test_a_changed_launch_leaves_a_running_process_alone(supervisor: Supervisor) -> None:
    declare(supervisor, kept_alive(launch(STAYS)))
    first = await reaches(supervisor, ProcessState.RUNNING)
    await says(supervisor, "here")
    declare(
        supervisor,
        kept_alive(launch(STAYS.replace("here", "changed"))),
        launch(STAYS, unit_server="B"),
    )
    await reaches(supervisor, ProcessState.RUNNING, "B")  # by now it has been seen
    assert is_running(first.pid)
    assert supervisor.standings["PS_0"].pid == first.pid
    os.kill(first.pid, signal.SIGKILL)
    await says(supervisor, "changed")


async def test_what_is_no_longer_declared_is_ended(supervisor: Supervisor) -> None:
    declare(supervisor, launch(STAYS))
    pid = (await reaches(supervisor, ProcessState.RUNNING)).pid
    declare(supervisor)
    await until(lambda: not is_running(pid), what="its end")
    await until(lambda: not supervisor.standings, what="nothing left")


async def test_what_comes_back_while_it_is_ended_is_launched_again(supervisor: Supervisor) -> None:
    declare(supervisor, launch(STAYS))
    first = await reaches(supervisor, ProcessState.RUNNING)
    declare(supervisor)
    await reaches(supervisor, ProcessState.STOPPING)
    declare(supervisor, launch(STAYS))
    second = await reaches(supervisor, ProcessState.RUNNING)
    assert second.pid != first.pid
    assert not is_running(first.pid)


async def test_a_process_that_does_not_end_is_killed_after_the_grace(folder: AgentFolder) -> None:
    async with Supervisor(folder, limits=replace(QUICK, grace_s=0.3)) as supervisor:
        declare(supervisor, launch(STUBBORN))
        pid = (await reaches(supervisor, ProcessState.RUNNING)).pid
        await says(supervisor, "here")  # it has put TERM aside
        await supervisor.stop_all()
        assert not is_running(pid)


async def test_what_a_process_started_ends_with_it(supervisor: Supervisor) -> None:
    declare(supervisor, launch(HAS_A_CHILD))
    pid = (await reaches(supervisor, ProcessState.RUNNING)).pid
    lines = await until(lambda: supervisor.last_lines("PS_0", 1), what="the id of its child")
    os.kill(pid, signal.SIGKILL)
    await reaches(supervisor, ProcessState.ENDED)
    await until(lambda: not is_running(int(lines[0])), what="the end of its child")


async def test_launches_are_spread_out(folder: AgentFolder) -> None:
    limits: Limits = replace(QUICK, launch_interval_s=0.1)
    ids = [f"PS_{number}" for number in range(4)]
    async with Supervisor(folder, limits=limits) as supervisor:
        began = time.monotonic()
        declare(supervisor, *(launch(STAYS, unit_server=id) for id in ids))
        await reaches(supervisor, ProcessState.RUNNING, ids[-1])
        took = time.monotonic() - began
        marks = folder.remembered()
        await supervisor.stop_all()
    assert took >= 0.3
    starts = [marks[id].mark.start_ticks for id in ids]
    assert all(first < second for first, second in pairwise(starts)), "by id"


async def test_its_output_is_copied_to_that_of_the_agent(
    supervisor: Supervisor, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    declare(supervisor, replace(launch(STAYS), log_on_console=True))
    await reaches(supervisor, ProcessState.RUNNING)
    said = bytearray()

    def is_on_console() -> bool:
        said.extend(capfdbinary.readouterr().out)
        return b"here\n" in said

    await until(is_on_console, what="its output")
