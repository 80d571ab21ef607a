"""The commands of the page about tokens run as they are written, but for the ports."""

import asyncio
import os
import re
import shutil
from pathlib import Path

from tests.stages.nursery import BIN
from tests.stages.ports import free_port
from tests.stages.requirements import needs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "tokens.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


async def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    needs("" if shutil.which("curl") else "There is no curl: apt-get install curl.")
    script = "".join(BLOCK.findall(PAGE.read_text()))
    for written in ("7500", "7501"):
        script = script.replace(written, str(free_port()))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MDS_")}
    process = await asyncio.create_subprocess_exec(
        "bash", "-euxo", "pipefail", "-c", script,
        cwd=tmp_path,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**environment, "PATH": f"{BIN}:{os.environ['PATH']}"},
    )  # fmt: skip
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    told = said.decode()
    assert process.returncode == 0, told[-3000:]
    assert "olga, operator" in told
    assert "\n401\n" in told
    assert "Tokens.RevokeToken" in told
    for file in tmp_path.glob("*.token"):
        assert file.stat().st_mode & 0o077 == 0, file.name
        assert file.read_text().strip()[17:] not in (tmp_path / "server.log").read_text()
