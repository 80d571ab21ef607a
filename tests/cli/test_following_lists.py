"""On a terminal, and while it goes on: what fits, what is followed, how it ends."""

import asyncio
import signal
from pathlib import Path

import pytest
from click import unstyle
from mds.v1.kind_pb2 import Kind
from mds.v1.variable_pb2 import Variable

from control_units.cli.looking.watching import follow
from control_units.client import Client
from tests.cli.conftest import Mds
from tests.cli.pseudo_terminal import PseudoTerminal, on_a_terminal
from tests.cli.test_import import small_facility, write
from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until


async def test_a_list_is_followed_in_a_pipe_and_a_thing_on_a_terminal(
    mds: Mds, replica: Replica, tmp_path: Path
) -> None:
    assert (await mds("import", "chaos", str(write(tmp_path, small_facility())))).code == 0
    environment = {"MDS_ADDRESS": replica.address}
    log = tmp_path / "followed"
    list_ = Program.mds("list", "variables", "--watch", log=log, environment=environment)
    list_.start()
    try:
        with on_a_terminal("show", "variables/v", "--watch", environment=environment) as terminal:
            await until(lambda: "\nv\t" in list_.output(), within=60)
            await until(lambda: "id: v" in written(terminal), within=60)
            deleted = await mds("delete", "variables/v", "--yes")
            assert deleted.code == 0, deleted.err
            await until(lambda: "- variables/v" in list_.output(), within=60)
            assert terminal.ended() == 1, "what is gone cannot be followed"
            assert "VARIABLE_NOT_FOUND" in terminal.written
            assert (await mds("undo", "last", "--yes")).code == 0
            await until(lambda: list_.output().count("\nv\t") == 2, within=60)
        list_.signal(signal.SIGINT)
        assert await list_.ended(within=20) == 0, "Ctrl-C is how it ends"
    finally:
        list_.kill()


class SeenError(Exception):
    """What a test has waited for."""


async def test_what_happens_between_the_first_look_and_the_watch_is_seen(replica: Replica) -> None:
    async def look(client: Client) -> None:
        names = [each.name async for each in client.variables.list()]
        if names:
            raise SeenError
        await client.variables.create(Variable(name="variables/v", value="1"))

    async with Client(replica.address) as client, asyncio.timeout(20):
        with pytest.raises(SeenError):
            await follow(client, [Kind.KIND_VARIABLE], "", look)


async def test_a_table_on_a_terminal_fits_it_and_has_colours_if_people_want_them(
    mds: Mds, replica: Replica, tmp_path: Path
) -> None:
    assert (await mds("import", "chaos", str(write(tmp_path, small_facility())))).code == 0
    environment = {"MDS_ADDRESS": replica.address}
    for more in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with on_a_terminal("list", environment=environment | more) as terminal:
            assert terminal.ended() == 0
        lines = [unstyle(line) for line in terminal.written.splitlines()]
        assert all(len(line) <= 80 for line in lines)
        assert any(line.startswith("A/B/1 ") for line in lines), "the key is whole"
        assert ("\x1b[" in terminal.written) is not bool(more)


async def test_ctrl_c_has_a_status_of_its_own(tmp_path: Path) -> None:
    environment = {"MDS_ADDRESS": f"127.0.0.1:{free_port()}"}
    program = Program.mds("list", log=tmp_path / "log", environment=environment)
    program.start()
    try:
        await until(lambda: "Trying again" in program.output(), within=60)
        program.signal(signal.SIGINT)
        assert await program.ended(within=20) == 130
        assert program.output().splitlines()[-1] == "Ended by Ctrl-C."
    finally:
        program.kill()


def written(terminal: PseudoTerminal) -> str:
    terminal.read()
    return terminal.written
