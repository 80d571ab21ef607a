"""Two replicas with the small facility, one of which clients of !CHAOS may only read."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from mds.v1.bundle_pb2 import BundleHeader
from yarl import URL

from control_units.client import Client
from control_units.importers.apply import apply_bundle
from control_units.importers.chaos import read_chaos
from tests.chaos_facade.facility import document
from tests.stages.replica import Replica

SMALL = json.dumps(document()).encode()
DEADLINE = aiohttp.ClientTimeout(total=30)


async def load(replica: Replica, file: bytes) -> None:
    """Imports a file of !CHAOS."""
    items = read_chaos(file).items
    async with Client(replica.address, principal="importer") as client:
        outcome = await apply_bundle(client, items, BundleHeader(), progress=lambda _: None)
    assert not outcome.problems, outcome.problems[:3]


def started(folder: Path, mode: str, file: bytes) -> Iterator[Replica]:
    """A replica with a file in it."""
    replica = Replica(
        f"sqlite:///{folder / 'mds.sqlite'}", folder, environment={"MDS_CHAOS_FACADE": mode}
    )

    async def start() -> None:
        await replica.start()
        await load(replica, file)

    try:
        asyncio.run(start())
        yield replica
    finally:
        replica.program.clear()


@pytest.fixture(scope="package")
def writable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    yield from started(tmp_path_factory.mktemp("writable"), "write", SMALL)


@pytest.fixture(scope="package")
def readable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    yield from started(tmp_path_factory.mktemp("readable"), "read", SMALL)


@dataclass(frozen=True)
class Told:
    """What came back."""

    status: int
    headers: Any
    json: Any

    @property
    def reason(self) -> str:
        (info, *_) = self.json["error"]["details"]
        return str(info["reason"])


class Dashboard:
    """Asks as pages of !CHAOS do: all by POST, in a body that nothing is encoded in."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self.base = base

    async def send(self, verb: str, path: str, data: Any = None, **headers: str) -> Told:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = URL(self.base + path, encoded=True)
        async with self._session.request(verb, url, data=data, headers=named) as response:
            assert response.content_type == "application/json" or not await response.read()
            body = await response.json() if await response.read() else None
            return Told(response.status, response.headers, body)

    async def mds(self, cmd: str, headers: dict[str, str] | None = None, **parm: Any) -> Told:
        text = f"cmd={cmd}&parm={json.dumps(parm)}"
        return await self.send("POST", "/MDS", text, **(headers or {}))

    async def cu(self, devices: str, cmd: str, parm: Any = "") -> Told:
        text = parm if isinstance(parm, str) else json.dumps(parm)
        more = f"&parm={text}" if text else ""
        return await self.send("POST", "/CU", f"dev={devices}&cmd={cmd}&mode=0&prio=0{more}")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=DEADLINE) as session:
        yield session


@pytest.fixture
async def page(writable: Replica, session: aiohttp.ClientSession) -> Dashboard:
    return Dashboard(session, writable.http)


@pytest.fixture
async def reader(readable: Replica, session: aiohttp.ClientSession) -> Dashboard:
    return Dashboard(session, readable.http)
