"""The document as it is committed, and a replica that serves it."""

import json
from collections.abc import AsyncIterator
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


@pytest.fixture
async def http(lasting_replica: Replica) -> AsyncIterator[Http]:
    async with aiohttp.ClientSession(timeout=DEADLINE) as session:
        yield Http(session, lasting_replica.http)
