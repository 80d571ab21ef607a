"""The code of the pages about the client runs as it is written, from first block to last."""

import ast
import inspect
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from control_units.cli.servers.run import example_facility
from control_units.client import Client, NotFound
from tests.cli.conftest import run_mds
from tests.stages.program import Program
from tests.stages.replica import Replica
from tests.stages.waiting import until

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("how-to/python-client.md", "tutorial/a-script-of-your-own.md")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
async def facility(server: Replica, tmp_path: Path) -> AsyncIterator[None]:
    """The example facility, of which the magnets of the ring run."""
    environment = {"MDS_ADDRESS": server.address, "MDS_STATE_FOLDER": str(tmp_path / "state")}
    loaded = await run_mds("apply", str(example_facility()), "--yes", environment=environment)
    assert loaded.code == 0, loaded.err
    magnets = Program.mds(
        "simulate", "RING/MAGNETS", log=tmp_path / "magnets.log", environment=environment
    )
    magnets.start()
    yield
    magnets.clear()


def blocks(page: str) -> list[CodeType]:
    """Each block; an error names its line of the page."""
    file = DOCS / page
    text = file.read_text()
    return [
        compile(
            "\n" * text[: match.start(1)].count("\n") + match[1],
            str(file),
            "exec",
            flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        )
        for match in BLOCK.finditer(text)
    ]


@pytest.mark.parametrize("page", PAGES)
async def test_the_blocks_of_a_page_run(
    page: str, facility: None, server: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Client(server.address) as client:
        await until(lambda: magnets_run(client), within=30)
    monkeypatch.setenv("MDS_ADDRESS", server.address)
    names: dict[str, Any] = {"__name__": "page"}
    for code in blocks(page):
        result = eval(code, names)
        if inspect.isawaitable(result):
            await result


async def magnets_run(client: Client) -> bool:
    try:
        status = await client.control_unit_statuses.get("RING/MAG/QUAD/QUFRG01")
    except NotFound:
        return False
    return bool(status.state)
