"""The document by a linter that others wrote: redocly's, pinned by tools/redocly."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.openapi.conftest import DOCUMENT
from tests.stages.node import copied, what_is_missing
from tests.stages.requirements import needs

TOOL = DOCUMENT.parents[3] / "tools" / "redocly"
DEADLINE_S = 60


@pytest.fixture(scope="module")
def linter() -> Path:
    needs(what_is_missing())
    with copied(TOOL, "redocly") as folder:
        return folder


async def linted(linter: Path, document: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        "node", "lint.js", str(document), "redocly.yaml",
        cwd=linter,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(DEADLINE_S):
        said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_the_linter_has_nothing_against_the_document(linter: Path) -> None:
    assert await linted(linter, DOCUMENT) == (0, "")


async def test_the_linter_finds_what_is_wrong(linter: Path, document: Any, tmp_path: Path) -> None:
    operation = document["paths"]["/v1/variables"]["get"] | {"operationId": "Overview_Pulse"}
    few = {"/v1/variables": {"get": operation}, "/v1/pulse": document["paths"]["/v1/pulse"]}
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(document | {"paths": few}))
    code, said = await linted(linter, wrong)
    assert code == 1
    assert "operation-operationId-unique" in said
