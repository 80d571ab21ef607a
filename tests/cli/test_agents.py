"""`mds agent` and `mds unit-server`: what runs on hosts, and orders to it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control_units.client import Client
from tests.agent.hosts import Hosts
from tests.agent.programs import ENDS, STAYS, launch
from tests.cli.conftest import Mds
from tests.stages.replica import Replica


@pytest.fixture
async def hosts(replica: Replica, tmp_path: Path) -> AsyncIterator[Hosts]:
    """A host whose agent launches one unit server that stays and one that dies each time."""
    async with Client(replica.address) as client:
        found = Hosts(replica, client, tmp_path)
        try:
            await found.agent("H1", "--restarts", "1")
            await found.declare("STAYS", launch(STAYS).command, agent="H1")
            await found.declare("DIES", launch(ENDS).command, agent="H1")
            await found.reaches("H1", "STAYS", "RUNNING")
            await found.reaches("H1", "DIES", "GAVE_UP")
            yield found
        finally:
            found.clear()


async def test_a_host_is_seen_ordered_and_looked_into(mds: Mds, hosts: Hosts) -> None:
    headers, row = (await mds("agent", "status")).out.splitlines()
    assert headers.split("\t")[-2:] == ["running", "not running"]
    cells = row.split("\t")
    assert (cells[0], cells[1], cells[-2:]) == ("H1", "ALIVE", ["1", "DIES GAVE_UP"])

    told = await mds("agent", "status", "H1")
    assert told.err.startswith("H1 is ALIVE on ")
    dies, stays = (line.split("\t") for line in told.out.splitlines()[1:])
    assert (dies[0], dies[1], dies[5]) == ("DIES", "GAVE_UP", "3")
    assert dies[-1] == (
        "ended with status 3. 1 restarts in 600 s are the most. It wrote last: no hardware"
    )
    assert (stays[0], stays[1], stays[-1]) == ("STAYS", "RUNNING", "")
    assert "MiB" in stays[7]

    plain = json.loads((await mds("agent", "status", "H1", "-o", "json")).out)
    assert [each["state"] for each in plain["processes"]] == [
        "PROCESS_STATE_GAVE_UP",
        "PROCESS_STATE_RUNNING",
    ]

    assert (await mds("unit-server", "log", "DIES", "-n", "1")).out == "no hardware\n"
    assert "KeepsDying" in (await mds("list", "unit_servers", "--prefix", "DIES")).out
    assert "KeepsDying" in (await mds("show", "unit_servers/DIES")).out

    before = await hosts.process("H1", "STAYS")
    ordered = await mds("unit-server", "restart", "STAYS", "--reason", "new cable")
    assert ordered.out == ("STAYS is launched again, by agent H1. See: mds agent status H1\n"), (
        ordered.err
    )
    await hosts.reaches("H1", "STAYS", "RUNNING", other_than=before.pid)
    assert "new cable" in (await mds("history", "unit_servers/STAYS")).out

    hosts.programs["H1"].kill()
    await hosts.programs["H1"].ended()
    stopped = await mds("unit-server", "stop", "STAYS", "DIES")
    assert [line.split(",")[0] for line in stopped.out.splitlines()] == [
        "STAYS shall not run",
        "DIES shall not run",
    ]


async def test_what_cannot_be_done_is_said(mds: Mds, replica: Replica) -> None:
    async with Client(replica.address) as client:
        hosts = Hosts(replica, client, Path())
        await hosts.declare_agent("H1")
        await hosts.declare("A", "run", agent="H1")
    ordered = await mds("unit-server", "start", "A")
    assert ordered.out == (
        "A shall run, by agent H1, as soon as that one is in touch: its contact is NONE.\n"
    )
    log = await mds("unit-server", "log", "A")
    assert (log.code, "AGENT_OUT_OF_TOUCH" in log.err) == (1, True)
    nobody = await mds("unit-server", "restart", "B")
    assert (nobody.code, "UNIT_SERVER_NOT_FOUND" in nobody.err) == (1, True)
    assert (await mds("agent", "status", "H9")).code == 1
