"""Orders to an agent: to run, to stop, to launch again; and who else is a unit server."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from mds.v1.unit_server_pb2 import LaunchOrder

from control_units.agent.folder import AgentFolder
from control_units.agent.holders import Holder
from control_units.agent.launching import UnitServerLaunch
from control_units.agent.process import UnitServerProcess
from control_units.agent.standing import ProcessState, Standing
from control_units.agent.supervisor import Supervisor
from tests.agent.programs import ENDS, QUICK, STAYS, is_running, kept_alive, launch
from tests.stages.waiting import until

RUN, STOP = LaunchOrder.LAUNCH_ORDER_RUN, LaunchOrder.LAUNCH_ORDER_STOP


@dataclass
class OneHolder:
    """A server that says who holds all unit servers."""

    holder: Holder | None = None

    async def holder_of(self, unit_server: str) -> Holder | None:  # noqa: ARG002
        return self.holder


@pytest.fixture
def folder(tmp_path: Path) -> AgentFolder:
    return AgentFolder("host-1", state_folder=tmp_path)


@pytest.fixture
def holders() -> OneHolder:
    return OneHolder()


@pytest.fixture
async def supervisor(folder: AgentFolder, holders: OneHolder) -> AsyncIterator[Supervisor]:
    async with Supervisor(folder, limits=QUICK, holders=holders) as found:
        yield found
        await found.stop_all()


def declare(supervisor: Supervisor, ordered: UnitServerLaunch) -> None:
    supervisor.declare({ordered.unit_server: ordered})


def standing(supervisor: Supervisor) -> Standing:
    return supervisor.standings.get("PS_0", Standing())


async def reaches(supervisor: Supervisor, state: ProcessState, *, other_than: int = 0) -> Standing:
    def found() -> Standing | None:
        now = standing(supervisor)
        return now if now.state is state and now.pid != (other_than or None) else None

    return await until(found, what=f"{state}") or Standing()


async def test_what_is_ordered_to_stop_ends_and_stays_ended(
    supervisor: Supervisor, folder: AgentFolder
) -> None:
    wanted = kept_alive(launch(STAYS))
    declare(supervisor, wanted)
    pid = (await reaches(supervisor, ProcessState.RUNNING)).pid
    declare(supervisor, replace(wanted, order=STOP))
    await reaches(supervisor, ProcessState.IDLE)
    assert not is_running(pid)
    assert folder.remembered() == {}
    declare(supervisor, replace(wanted, order=STOP, configuration="another"))
    declare(supervisor, replace(wanted, order=RUN))
    assert (await reaches(supervisor, ProcessState.RUNNING)).pid != pid


async def test_what_does_not_start_by_itself_runs_when_it_is_ordered_to(
    supervisor: Supervisor,
) -> None:
    declare(supervisor, replace(launch(STAYS), auto_start=False, order=RUN))
    await reaches(supervisor, ProcessState.RUNNING)


async def test_an_order_to_restart_is_carried_out_once(supervisor: Supervisor) -> None:
    wanted = replace(launch(STAYS), order=RUN)
    declare(supervisor, wanted)
    first = await reaches(supervisor, ProcessState.RUNNING)
    declare(supervisor, replace(wanted, restart_count=1))
    second = await reaches(supervisor, ProcessState.RUNNING, other_than=first.pid)
    assert not is_running(first.pid)
    assert (second.reached_restart_count, second.restarts) == (1, 0)
    changed = replace(wanted, restart_count=1, configuration="another")
    declare(supervisor, changed)
    declare(supervisor, replace(changed, restart_count=2))
    third = await reaches(supervisor, ProcessState.RUNNING, other_than=second.pid)
    assert third.reached_restart_count == 2


async def test_a_restart_tries_again_what_was_given_up(supervisor: Supervisor) -> None:
    wanted = kept_alive(replace(launch(ENDS), order=RUN))
    declare(supervisor, wanted)
    given_up = await reaches(supervisor, ProcessState.GAVE_UP)
    assert (given_up.exit_status, given_up.last_line) == (3, "no hardware")
    declare(supervisor, replace(wanted, command=launch(STAYS).command, restart_count=1))
    assert (await reaches(supervisor, ProcessState.RUNNING)).reached_restart_count == 1


async def test_what_was_given_up_and_then_stopped_counts_as_idle(supervisor: Supervisor) -> None:
    wanted = kept_alive(launch(ENDS))
    declare(supervisor, wanted)
    await reaches(supervisor, ProcessState.GAVE_UP)
    declare(supervisor, replace(wanted, order=STOP))
    await reaches(supervisor, ProcessState.IDLE)


async def test_an_order_that_came_while_the_agent_was_away_is_carried_out(
    folder: AgentFolder, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as output:
        command = [sys.executable, "-c", STAYS]
        first = UnitServerProcess.start(command, folder="", environment={}, output=output)
    folder.remember("PS_0", first.mark, restart_count=4)
    wanted = replace(launch(STAYS), order=RUN, restart_count=4)
    async with Supervisor(folder, limits=QUICK) as supervisor:
        declare(supervisor, wanted)
        assert standing(supervisor).pid == first.pid, "that order was carried out"
        declare(supervisor, replace(wanted, restart_count=5))
        await reaches(supervisor, ProcessState.RUNNING, other_than=first.pid)
        await supervisor.stop_all()
    assert first.poll() is not None


async def test_a_count_that_was_set_back_restarts_nothing_and_counts_on(
    supervisor: Supervisor, folder: AgentFolder
) -> None:
    wanted = replace(launch(STAYS), order=RUN, restart_count=4)
    declare(supervisor, wanted)
    first = await reaches(supervisor, ProcessState.RUNNING)
    declare(supervisor, replace(wanted, restart_count=0))
    assert folder.remembered()["PS_0"].restart_count == 0
    assert standing(supervisor).pid == first.pid
    declare(supervisor, replace(wanted, restart_count=1))
    await reaches(supervisor, ProcessState.RUNNING, other_than=first.pid)


async def test_what_another_process_is_waits_until_that_has_ended(
    supervisor: Supervisor, holders: OneHolder
) -> None:
    holders.holder = Holder("rack-2", 77, "host-2")
    declare(supervisor, launch(STAYS))
    waiting = await reaches(supervisor, ProcessState.WAITING)
    assert waiting.fault == (
        "process 77 on rack-2, launched by agent host-2, is this unit server; it is launched "
        "when that one has ended"
    )
    holders.holder = None
    await reaches(supervisor, ProcessState.RUNNING)


async def test_what_waits_can_be_stopped(supervisor: Supervisor, holders: OneHolder) -> None:
    holders.holder = Holder("rack-2")
    declare(supervisor, launch(STAYS))
    await reaches(supervisor, ProcessState.WAITING)
    declare(supervisor, replace(launch(STAYS), order=STOP))
    await reaches(supervisor, ProcessState.IDLE)


async def test_one_that_is_refused_waits_and_is_not_given_up(
    supervisor: Supervisor, holders: OneHolder
) -> None:
    """It is held from the moment on in which its first process was refused."""
    declare(supervisor, kept_alive(launch(STAYS)))
    first = await reaches(supervisor, ProcessState.RUNNING)
    holders.holder = Holder("rack-2", 77)
    os.kill(first.pid, signal.SIGKILL)
    assert (await reaches(supervisor, ProcessState.WAITING)).restarts == 1
