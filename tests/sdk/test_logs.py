"""What programs log, and how: the same word for all of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import Processor

import control_units.logs as programs
import metadata_server.logs as server
from tests.stages.ports import free_port
from tests.stages.program import Program
from tests.stages.waiting import until

Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts programs that no metadata server answers."""
    programs: list[Program] = []

    def begin(*arguments: str, **environment: str) -> Program:
        folder = tmp_path / str(len(programs))
        folder.mkdir()
        settings = {
            "MDS_ADDRESS": f"127.0.0.1:{free_port()}",
            "MDS_DATABASE_URL": f"sqlite:///{folder}/mds.sqlite",
            "MDS_GRPC_PORT": "0",
            "MDS_HTTP_PORT": "0",
            "MDS_WEB_PORT": "0",
            "MDS_STATE_FOLDER": str(folder / "state"),
            **environment,
        }
        programs.append(Program.mds(*arguments, log=folder / "log", environment=settings))
        programs[-1].start()
        return programs[-1]

    yield begin
    for program in programs:
        program.clear()


SAYS = {("agent", "run", "HALL"): "agent_unheard", ("serve",): "serving", ("web",): "listening"}


@pytest.mark.parametrize("arguments", SAYS, ids=" ".join)
async def test_each_program_logs_as_it_is_asked_to(start: Start, arguments: tuple[str]) -> None:
    event = SAYS[arguments]
    usual, text = programs = start(*arguments), start(*arguments, MDS_LOG_FORMAT="text")
    await until(lambda: all(event in each.output() for each in programs), within=40, what=event)
    lines = [json.loads(line) for line in usual.output().splitlines()]
    assert {"event", "level", "timestamp"} <= lines[0].keys()
    (line,) = [each for each in text.output().splitlines() if event in each][:1]
    assert not line.startswith("{")
    assert event in line


async def test_an_agent_says_by_which_id_a_call_failed(start: Start) -> None:
    agent = start("agent", "run", "HALL")
    await until(lambda: "agent_unheard" in agent.output(), within=40)
    line = next(json.loads(each) for each in agent.output().splitlines() if "unheard" in each)
    assert line["request_id"]


async def test_a_wrong_word_is_no_reason_for_an_agent_to_stay_away(start: Start) -> None:
    agent = start("agent", "run", "HALL", MDS_LOG_FORMAT="xml", MDS_LOG_LEVEL="loud")
    await until(lambda: "agent_unheard" in agent.output(), within=40)
    advice = [line for line in agent.output().splitlines() if "setting_invalid" in line]
    assert "MDS_LOG_LEVEL is 'loud'; right would be debug, info, warning, error" in advice[0]
    assert "MDS_LOG_FORMAT is 'xml'; right would be json, text" in advice[1]
    assert json.loads(advice[0])["level"] == "warning"


@pytest.mark.parametrize("written_as", [programs.written_as, server.written_as])
@pytest.mark.parametrize("format", ["json", "text"])
def test_no_value_of_a_variable_gets_into_the_log(
    written_as: Callable[[str], tuple[Processor, ...]], format: str
) -> None:
    def fail() -> None:
        password = "-".join(("very", str(len(SAYS)), "secret"))
        raise ValueError(f"no password: {password[:0]}")

    try:
        fail()
    except ValueError as error:
        line: Any = {"event": "call_failed", "exc_info": error}
    for process in written_as(format):
        line = process(None, "error", line)
    assert "ValueError: no password" in line
    assert "in fail" in line, "where it happened"
    assert "very-3-secret" not in line
