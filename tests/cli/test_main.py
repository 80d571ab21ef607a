"""`mds` itself: its commands, its options, and what it says when nothing answers."""

import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Mds, run_mds, run_mds_anew
from tests.stages.ports import free_port


async def test_help_names_the_commands() -> None:
    ended = await run_mds("--help")
    assert ended.code == 0
    for command in ("import", "export", "lives", "adopt", "serve", "run"):
        assert f"\n  {command} " in ended.out


def test_help_needs_nothing_that_is_slow_to_load() -> None:
    program = (
        "import sys; from control_units.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "sys.exit(', '.join({'grpc', 'sqlalchemy', 'aiohttp'} & set(sys.modules)) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


async def test_the_version_is_that_of_the_distribution() -> None:
    ended = await run_mds("--version")
    assert ended.out.startswith("mds, version ")


async def test_a_broken_command_is_named_and_stops_no_other(tmp_path: Path) -> None:
    distribution = tmp_path / "broken-1.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (distribution / "entry_points.txt").write_text(
        "[mds.commands]\nabsent = no_such_module:x\nnumber = math:pi\n"
    )
    environment = {"PYTHONPATH": str(tmp_path)}
    ended = await run_mds_anew("--help", environment=environment)
    assert ended.code == 0
    assert "cannot be loaded" in ended.out
    ended = await run_mds_anew("absent", environment=environment)
    assert ended.code == 1
    assert "no_such_module" in ended.err
    ended = await run_mds_anew("number", environment=environment)
    assert "is a float, no command" in ended.err


async def test_a_word_that_is_no_command_is_wrong_use() -> None:
    assert (await run_mds("improt")).code == 2


async def test_without_a_server_the_exit_code_is_3_and_the_message_says_what_to_do() -> None:
    address = f"127.0.0.1:{free_port()}"
    ended = await run_mds("--address", address, "export")
    assert ended.code == 3
    assert address in ended.err
    assert "mds serve" in ended.err
    assert "Traceback" not in ended.err


async def test_a_disk_without_room_is_named(mds: Mds) -> None:
    ended = await mds("export", stdout="/dev/full")
    assert ended.code == 1
    assert ended.err == "Error: No space left on device\n"


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = await run_mds("run", environment={"XDG_DATA_HOME": str(tmp_path / "file")})
    assert ended.code == 1
    assert ended.err.startswith(f"Error: Not a directory ({tmp_path}/file/mds")


async def test_an_address_that_is_none_is_wrong_use() -> None:
    ended = await run_mds("export", environment={"MDS_ADDRESS": "a:b:c"})
    assert ended.code == 2
    assert "'a:b:c'" in ended.err


async def test_a_file_that_is_not_there_is_wrong_use() -> None:
    ended = await run_mds("import", "chaos", "/no/such/file.json")
    assert ended.code == 2
    assert "/no/such/file.json" in ended.err
