"""The web page in this process, as it runs in service, on a free port."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from control_units.client import Client
from tests.stages.ports import free_port
from webui.application import application
from webui.live.feed import Feed
from webui.live.hub import Hub
from webui.live.painter import Painter
from webui.rendering import environment
from webui.server import runner_of
from webui.site import Site as PageSite


@dataclass
class Site:
    """A running page.

    Attributes:
        feed: follows the server only when a test has it do so.
        http: a client whose paths are relative to the page.
    """

    url: str
    hub: Hub
    feed: Feed
    http: aiohttp.ClientSession
    runner: web.AppRunner

    @property
    def connections(self) -> int:
        """Connections that the site holds."""
        assert self.runner.server is not None
        return len(self.runner.server.connections)

    async def text(self, path: str, *, status: int = 200) -> str:
        async with self.http.get(path) as answer:
            assert answer.status == status, await answer.text()
            return await answer.text()


OpenSite = Callable[..., Awaitable[Site]]


@asynccontextmanager
async def running_site(address: str, most_viewers: int) -> AsyncIterator[Site]:
    templates = environment()
    hub = Hub(most_viewers=most_viewers)
    async with Client(address) as client:
        feed = Feed(client, hub, Painter(templates))
        app = application(PageSite(client, hub, templates), feed)
        runner = runner_of(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        url = f"http://{host}:{port}"
        try:
            async with aiohttp.ClientSession(url) as http:
                yield Site(url, hub, feed, http, runner)
        finally:
            hub.close()
            await runner.cleanup()


@pytest.fixture
async def open_site() -> AsyncIterator[OpenSite]:
    """Runs a page; by default nobody answers where it asks."""
    async with AsyncExitStack() as stack:

        async def open_(address: str = "", *, most_viewers: int = 10, follow: bool = False) -> Site:
            site = await stack.enter_async_context(
                running_site(address or f"127.0.0.1:{free_port()}", most_viewers)
            )
            if follow:
                following = asyncio.create_task(site.feed.run())
                stack.push_async_callback(_stop, following)
            return site

        yield open_


async def _stop(following: asyncio.Task[None]) -> None:
    following.cancel()
    await asyncio.wait([following])
