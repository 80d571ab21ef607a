"""`mds web` as a program, where no metadata server answers."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.waiting import until


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def web(port: int, tmp_path: Path) -> Iterator[Program]:
    environment = {"MDS_WEB_PORT": str(port), "MDS_ADDRESS": f"127.0.0.1:{free_port()}"}
    program = Program.mds("web", log=tmp_path / "web.log", environment=environment)
    yield program
    program.clear()


async def test_sigterm_ends_it_at_once_though_browsers_listen(web: Program, port: int) -> None:
    web.start()
    await until(lambda: "listening" in web.output(), within=20, what="the page to listen")
    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(url) as http, http.get("/events") as stream:
        await stream.content.readline()
        assert await web.terminate(within=5) == 0
        await stream.content.read()
    events = [json.loads(line)["event"] for line in web.output().splitlines()]
    assert events[0] == "listening"
    assert "stopping" in events


async def test_a_port_that_is_taken_is_told_with_the_setting_to_change(
    web: Program, port: int
) -> None:
    with socket.create_server(("127.0.0.1", port)):
        web.start()
        assert await web.ended(within=20) == 1
    said = web.output()
    assert f"cannot listen at 127.0.0.1 port {port}" in said
    assert "MDS_WEB_PORT" in said
    assert "Traceback" not in said
