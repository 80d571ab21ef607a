"""The document as it is committed, and a replica that serves it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.rest.conftest import DEADLINE, Http
from tests.stages.replica import Replica

DOCUMENT = Path(__file__).resolve().parents[2] / "metadata_server/api/openapi/openapi.json"


@pytest.fixture(scope="session")
def document() -> Any:
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """One replica on SQLite for the tests of a module."""
    folder: Path = tmp_path_factory.mktemp("served")
    replica = Replica(f"sqlite:///{folder / 'mds.sqlite'}", folder)
    try:
        asyncio.run(replica.start())
        yield replica
    finally:
        replica.program.clear()


@pytest.fixture
async def http(served: Replica) -> AsyncIterator[Http]:
    async with aiohttp.ClientSession(timeout=DEADLINE) as session:
        yield Http(session, served.http)
