"""A receiver of webhooks, on loopback, that answers as it is told and keeps what it was sent."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from tests.stages.waiting import until


@dataclass(frozen=True)
class Received:
    """One request."""

    headers: Mapping[str, str]
    body: bytes
    has_arrived: bool

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def content(self) -> Any:
        return json.loads(self.body)

    @property
    def names(self) -> list[str]:
        """Of the resources that it tells of."""
        return [event["name"] for event in self.content.get("events", [])]

    def is_signed_with(self, secret: str) -> bool:
        """As a library says that receivers use."""
        try:
            Verifier(secret).verify(self.body, dict(self.headers))
        except WebhookVerificationError:
            return False
        return True


@dataclass
class Receiver:
    """What one URL was sent.

    Attributes:
        answers: status and headers of the next answers; then `usual`.
        gate: nothing is answered while it is closed.
        waiting: requests that are not answered yet.
    """

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: deque[tuple[int, Mapping[str, str]]] = field(default_factory=deque)
    usual: int = 200
    says: str = ""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.waiting += 1
        try:
            await self.gate.wait()
        finally:
            self.waiting -= 1
        status, headers = self.answers.popleft() if self.answers else (self.usual, {})
        self.received.append(Received(dict(request.headers.items()), body, 200 <= status < 300))
        return web.Response(status=status, headers=headers, text=self.says)

    @property
    def arrived(self) -> list[Received]:
        return [each for each in self.received if each.has_arrived]

    def names(self) -> list[str]:
        """Of what has arrived, each delivery once, as a receiver keeps it that looks at ids."""
        first = {each.id: each for each in reversed(self.arrived)}
        ordered = sorted(first.values(), key=self.arrived.index)
        return [name for each in ordered for name in each.names]

    async def until(self, done: Callable[[], bool], *, within: float = 20.0) -> None:
        await until(done, within=within, what=f"a delivery; {self.received[-3:]} came")


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.gate.set()
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server()
    try:
        receiver.url = str(server.make_url("/in"))
        yield receiver
    finally:
        receiver.gate.set()
        await server.close()
