"""A replica that serves all tests of a module, and HTTP to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.stages.replica import Replica

Headers = dict[str, str]
DEADLINE = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Any
    body: bytes
    json: Any = field(default=None)

    @property
    def reason(self) -> str:
        """Why it was refused: that of the one ErrorInfo."""
        details = self.json["error"]["details"]
        (info,) = (each for each in details if each["@type"].endswith("google.rpc.ErrorInfo"))
        return str(info["reason"])

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])


class Http:
    """Sends raw paths as they are, as a client in any language would."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    async def __call__(
        self, verb: str, path: str, body: object = None, *, data: Any = None, **headers: str
    ) -> Answer:
        named: Headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request: dict[str, Any] = {"json": body} if body is not None else {"data": data}
        url = URL(self.base + path, encoded=True)
        async with self.session.request(verb, url, headers=named, **request) as response:
            content = await response.read()
            is_json = content and response.content_type == "application/json"
            is_json = is_json and content[:2] != b"\x1f\x8b"  # which is gzip, left as it came
            read = await response.json() if is_json else None
            return Answer(response.status, response.headers, content, read)

    async def variable(self, id: str, value: str = "1") -> Answer:
        """Creates one."""
        made = await self("POST", "/v1/variables", {"name": f"variables/{id}", "value": value})
        assert made.status == 201, made.body
        return made


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=DEADLINE) as session:
        yield session


@pytest.fixture
async def http(lasting_replica: Replica, session: aiohttp.ClientSession) -> Http:
    return Http(session, lasting_replica.http)
