"""The commands of the pages about tokens run as they are written, but for the ports."""

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.stages.nursery import BIN
from tests.stages.ports import free_port
from tests.stages.requirements import needs

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


SAID = {
    "tokens.md": ("olga, operator", "\n401\n", "Tokens.RevokeToken"),
    "log-in.md": ("\n401\n", "\n303\n", "\noperator\n", "\n403\n"),
}


@pytest.mark.parametrize("page", SAID)
async def test_the_commands_of_a_page_run(page: str, tmp_path: Path, warm_bin: Path) -> None:
    needs("" if shutil.which("curl") else "There is no curl: apt-get install curl.")
    script = "".join(BLOCK.findall((HOW_TO / page).read_text()))
    for written in ("7500", "7501", "7502"):
        script = script.replace(written, str(free_port()))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MDS_")}
    process = await asyncio.create_subprocess_exec(
        "bash", "-euxo", "pipefail", "-c", script,
        cwd=tmp_path,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**environment, "PATH": f"{warm_bin}:{BIN}:{os.environ['PATH']}"},
    )  # fmt: skip
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    told = said.decode()
    assert process.returncode == 0, told[-3000:]
    for expected in SAID[page]:
        assert expected in told
    logs = "".join(log.read_text() for log in tmp_path.glob("*.log"))
    for file in tmp_path.glob("*.token"):
        assert file.stat().st_mode & 0o077 == 0, file.name
        assert file.read_text().strip()[17:] not in logs
