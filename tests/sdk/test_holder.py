"""A unit server whose place is held by a process that has died on the same host."""

import asyncio
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import grpc
import psutil
import pytest
from mds.v1 import registration_pb2
from structlog.testing import capture_logs

from control_units import AlreadyRunning, State, Superseded
from control_units.client import Refused
from control_units.disk_copy import DiskCopy
from control_units.holder import has_ended
from tests.sdk.laboratory import Laboratory, Probe
from tests.stages.replica import Replica
from tests.stages.waiting import until

HOST = socket.gethostname()


@pytest.fixture(scope="module")
def dead_pid() -> int:
    """Of a process of this host that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


async def hold(lab: Laboratory, *, pid: int, host: str = HOST) -> None:
    """Registers a rival; again and again, it renews its lease."""
    await lab.client.registration.Register(
        registration_pb2.RegisterRequest(
            unit_server=f"unit_servers/{lab.name}", incarnation="rival", host=host, pid=pid
        )
    )


async def test_the_lease_of_a_dead_process_is_waited_for(
    hasty_lab: Laboratory, dead_pid: int
) -> None:
    lab = hasty_lab
    await lab.declare("A")
    await hold(lab, pid=dead_pid)
    lab.serve()
    await lab.until_states(A=State.RUNNING)
    assert len(await lab.lives("A")) == 2


async def test_a_renewal_that_is_written_after_the_death_is_waited_for_too(
    hasty_lab: Laboratory, dead_pid: int
) -> None:
    lab = hasty_lab
    await lab.declare("A")
    await hold(lab, pid=dead_pid)
    with capture_logs() as logs:

        def refusals() -> int:
            return sum(each["event"] == "registration_refused" for each in logs)

        async def renewed_until_refused_again() -> bool:
            await hold(lab, pid=dead_pid)
            return refusals() == 2

        lab.serve()
        await until(refusals)
        await until(renewed_until_refused_again)
        await lab.until_states(A=State.RUNNING, within=15)
        assert refusals() == 2


async def test_a_start_from_the_copy_outlives_a_good_bye_that_nobody_heard(
    hasty_lab: Laboratory, hasty_replica: Replica, dead_pid: int
) -> None:
    lab, replica = hasty_lab, hasty_replica
    await lab.declare("A")
    first = lab.serve()
    copy = DiskCopy(lab.folder, lab.name)
    await until(lambda: copy.load() is not None)
    await lab.end(first)
    await hold(lab, pid=dead_pid)
    replica.kill()
    Probe.done.clear()
    server = lab.serve()
    await until(lambda: Probe.done == ["A init", "A start"])
    await replica.start()
    await lab.until_contact("ALIVE")
    await lab.until_states(A=State.RUNNING)
    assert lab.unit(server, "A").standing.state is State.RUNNING
    assert Probe.done == ["A init", "A start"], "it went on running all the time"


async def test_a_holder_that_renews_its_lease_lives_whatever_its_process_id_says(
    hasty_lab: Laboratory, dead_pid: int
) -> None:
    lab = hasty_lab
    await lab.declare("A")
    await hold(lab, pid=dead_pid)
    ended = asyncio.create_task(lab.ended(lab.serve()))

    async def gave_up() -> bool:
        await hold(lab, pid=dead_pid)
        return ended.done()

    await until(gave_up, within=30)
    with pytest.raises((AlreadyRunning, Superseded)):
        await ended


def refusal(*, pid: str, host: str = HOST, since: str = "") -> Refused:
    return Refused(
        "ALREADY_RUNNING",
        "It runs.",
        code=grpc.StatusCode.FAILED_PRECONDITION,
        metadata={"host": host, "pid": pid, "since": since},
    )


def test_a_dead_process_that_nobody_has_asked_after_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert has_ended(refusal(pid=str(child.pid)), HOST)
    child.wait()


@pytest.mark.parametrize(
    ("host", "pid", "expected"),
    [
        (HOST, None, True),
        pytest.param(HOST, str(os.getpid()), False, id="own"),
        (HOST, "1", False),
        (HOST, "0", False),
        (HOST, "", False),
        (HOST, "many", False),
        ("elsewhere", None, False),
    ],
)
def test_only_of_its_own_host_can_one_tell(
    host: str, pid: str | None, expected: object, dead_pid: int
) -> None:
    refused = refusal(host=host, pid=str(dead_pid) if pid is None else pid)
    assert has_ended(refused, HOST) is expected


@pytest.mark.parametrize(
    ("hours_later", "has_ended_before"),
    [pytest.param(-1, True, id="before it began"), pytest.param(1, False, id="since it began")],
)
def test_a_process_with_the_number_of_the_holder_may_be_another_one(
    hours_later: int, has_ended_before: object
) -> None:
    began = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    since = (began + timedelta(hours=hours_later)).isoformat()
    refused = refusal(pid=str(os.getpid()), since=since)
    assert has_ended(refused, HOST) is has_ended_before
