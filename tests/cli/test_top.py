"""`mds top`, on a real pseudo terminal."""

import signal
from pathlib import Path

from click import unstyle
from mds.v1.operation_pb2 import Operation
from mds.v1.overview_pb2 import GetOverviewResponse, ZoneSummary
from mds.v1.state_pb2 import Health

from control_units.cli.output.tables import cells
from control_units.cli.top.picture import lines_of
from control_units.cli.top.sight import Sight
from tests.cli.conftest import Mds
from tests.cli.pseudo_terminal import on_a_terminal
from tests.cli.test_import import small_facility, write
from tests.stages.ports import free_port
from tests.stages.replica import Replica
from tests.stages.waiting import until


def a_sight() -> Sight:
    zones = [
        ZoneSummary(zone=f"Z{n:02}", health=Health.HEALTH_GOOD, control_units=n) for n in range(40)
    ]
    return Sight(overview=GetOverviewResponse(control_units=780, zones=zones, replica="r1"))


def test_a_picture_fits_any_terminal() -> None:
    sight = a_sight()
    sight.operations = [Operation(name=f"operations/{n}", reason="x" * 90) for n in range(30)]
    for width, height in ((20, 5), (80, 24), (200, 60), (10, 2)):
        lines = lines_of(sight, width, height)
        assert len(lines) == height
        assert all(cells(unstyle(line)) <= width for line in lines if "Z" not in line)


def test_what_is_sought_is_all_that_is_shown() -> None:
    sight = a_sight()
    for key in ("/", "z", "1", "7"):
        assert not sight.press(key)
    shown = "\n".join(lines_of(sight, 80, 24))
    assert "Z17" in shown
    assert "Z18" not in shown
    sight.press("\r")
    assert (sight.filter, sight.typing) == ("z17", None)
    sight.press("\x1b")
    assert sight.filter == ""


def test_zones_are_sorted_as_people_say() -> None:
    sight = a_sight()
    sight.press("s")
    sight.press("s")
    assert any("Z39" in line for line in lines_of(sight, 80, 12)), "the largest first"


async def test_top_shows_takes_keys_and_gives_the_terminal_back(
    mds: Mds, replica: Replica, tmp_path: Path
) -> None:
    assert (await mds("import", "chaos", str(write(tmp_path, small_facility())))).code == 0
    once = await mds("top")
    assert (once.code, "zones" in once.out) == (0, True), "in a pipe it looks once"

    environment = {"MDS_ADDRESS": replica.address}
    with on_a_terminal("top", "--every", "0.3", environment=environment) as terminal:
        await until(lambda: "zones" in terminal.read(), within=25)
        terminal.press("h")
        await until(lambda: "Ctrl-C" in terminal.read(), within=25)
        terminal.press("h/no-such-thing\r")
        await until(lambda: "filter: no-such-thing" in terminal.read(), within=25)
        assert "zones" not in terminal.screen()
        terminal.has_resized(10, 60)
        await until(lambda: 0 < len(terminal.read().splitlines()) <= 10, within=25)
        terminal.program.send_signal(signal.SIGTSTP)
        await until(terminal.is_stopped, within=25)
        assert terminal.is_as_before(), "Ctrl-Z leaves a terminal to work with"
        terminal.program.send_signal(signal.SIGCONT)
        await until(
            lambda: terminal.read() and terminal.written.count("\x1b[?1049h") == 2, within=60
        )
        terminal.press("\x1b")
        await until(lambda: "zones" in terminal.read(), within=25)
        terminal.press("q")
        assert terminal.ended() == 0
        assert terminal.is_as_before()
        assert terminal.written.endswith("\x1b[?25h\x1b[?1049l"), "what was there is there again"


async def test_a_signal_ends_top_cleanly_also_without_a_server() -> None:
    environment = {"MDS_ADDRESS": f"127.0.0.1:{free_port()}"}
    with on_a_terminal("top", environment=environment) as terminal:
        await until(lambda: "No metadata server answers" in terminal.read(), within=25)
        terminal.program.send_signal(signal.SIGTERM)
        assert terminal.ended() == 0
        assert terminal.is_as_before()
        assert "Traceback" not in terminal.written
